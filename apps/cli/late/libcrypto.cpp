#include <openssl/evp.h>

#include "late_library.hpp"

// What Daybook calls of OpenSSL: SHA-256, which few commands need.

namespace {

daybook::command::LateLibrary& library() {
    static daybook::command::LateLibrary libcrypto{DAYBOOK_LIBCRYPTO};
    return libcrypto;
}

}  // namespace

extern "C" {

const EVP_MD* EVP_sha256() {
    static const auto function = library().function<decltype(&::EVP_sha256)>("EVP_sha256");
    return function();
}

int EVP_Digest(const void* data, size_t count, unsigned char* digest, unsigned int* size,
               const EVP_MD* type, ENGINE* engine) {
    static const auto function = library().function<decltype(&::EVP_Digest)>("EVP_Digest");
    return function(data, count, digest, size, type, engine);
}

}  // extern "C"
