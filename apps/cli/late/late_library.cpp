#include "late_library.hpp"

#include <string>

#include <dlfcn.h>

#include "daybook/core/error.hpp"

namespace daybook::command {

LateLibrary::LateLibrary(const char* name)
    : name_(name), handle_(::dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ != nullptr) return;
    const char* const why = ::dlerror();
    throw InvalidError("library " + std::string(name) +
                       " cannot be loaded: " + (why == nullptr ? "" : why) +
                       ": install it (libpq for stores on PostgreSQL, libcrypto of OpenSSL)");
}

void* LateLibrary::find(const char* name) const {
    void* const function = ::dlsym(handle_, name);
    if (function != nullptr) return function;
    throw InvalidError("library " + std::string(name_) + " has no " + name +
                       ": install a newer one");
}

}  // namespace daybook::command
