#include "private_pooler.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "patience.hpp"
#include "postgres_server.hpp"

namespace daybook::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* program = "/usr/sbin/pgbouncer";
constexpr int starts_max = 20;

/// Runs it under `setpriv`, so that it dies with this process, and because PgBouncer refuses to run
/// as root.
std::vector<std::string> command_line(const std::string& settings) {
    std::vector<std::string> words{"setpriv", "--pdeathsig", "KILL"};
    if (::geteuid() == 0) {
        words.insert(words.end(), {"--reuid=postgres", "--regid=postgres", "--init-groups"});
    }
    words.insert(words.end(), {program, settings});
    return words;
}

}  // namespace

PrivatePooler::PrivatePooler(const std::string& server_uri, int connections) : server_(server_uri) {
    if (::access(program, X_OK) != 0) {
        throw std::runtime_error(std::string("no ") + program + "; run scripts/setup pgbouncer");
    }
    std::filesystem::permissions(directory_.path(), std::filesystem::perms{0755});
    std::random_device random;
    for (int start = 0; start < starts_max; ++start) {
        const int port = std::uniform_int_distribution<int>{20'000, 31'999}(random);
        uri_ = server_.uri_at(port);
        console_uri_ = server_.before + "127.0.0.1:" + std::to_string(port) + "/pgbouncer";
        write_settings(port, connections);
        start_process();
        if (is_ready()) return;
        end();
    }
    throw std::runtime_error("PgBouncer does not start: " + log());
}

PrivatePooler::~PrivatePooler() { end(); }

void PrivatePooler::write_settings(int port, int connections) const {
    std::ofstream file{directory_.file("pgbouncer.ini")};
    file << "[databases]\n"
         << "* = host=" << server_.host << " port=" << server_.port << '\n'
         << "[pgbouncer]\n"
         << "listen_addr = 127.0.0.1\n"
         << "listen_port = " << port << '\n'
         << "unix_socket_dir =\n"
         << "auth_type = trust\n"
         << "auth_file = " << directory_.file("users") << '\n'
         << "admin_users = daybook\n"
         << "pool_mode = transaction\n"
         << "default_pool_size = " << connections << '\n'
         << "max_client_conn = 200\n";
    std::ofstream{directory_.file("users")} << "\"daybook\" \"\"\n";
}

void PrivatePooler::start_process() {
    std::vector<std::string> words = command_line(directory_.file("pgbouncer.ini"));
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const int file =
        ::open(directory_.file("log").c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) throw std::runtime_error("cannot write " + directory_.file("log"));
    pid_ = ::fork();
    if (pid_ == 0) {
        ::dup2(file, STDOUT_FILENO);
        ::dup2(file, STDERR_FILENO);
        ::execvp(pointers.front(), pointers.data());
        ::_exit(127);
    }
    ::close(file);
    if (pid_ < 0) throw std::runtime_error("cannot fork");
}

bool PrivatePooler::is_ready() {
    const auto deadline = std::chrono::steady_clock::now() + patience();
    while (std::chrono::steady_clock::now() < deadline) {
        if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
            pid_ = -1;
            return false;
        }
        try {
            PostgresConnection{console_uri_}.query("SHOW VERSION");
            return true;
        } catch (const std::runtime_error&) {
            std::this_thread::sleep_for(10ms);
        }
    }
    return false;
}

std::string PrivatePooler::log() const {
    std::ostringstream text;
    text << std::ifstream{directory_.file("log")}.rdbuf();
    return text.str();
}

void PrivatePooler::end() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
    pid_ = -1;
}

}  // namespace daybook::test
