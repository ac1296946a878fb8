#include "program.hpp"

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "temporary_directory.hpp"

namespace scenario {
namespace {

std::string joined(const Arguments& arguments) {
    std::string text = ORDER_FULFILMENT;
    for (const std::string& argument : arguments) text += " " + argument;
    return text;
}

int open_to_write(const std::string& path) {
    const int file = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) throw std::runtime_error("cannot write " + path);
    return file;
}

}  // namespace

RunningProgram::RunningProgram(const Arguments& arguments, const std::string& output,
                               const std::string& errors) {
    std::vector<std::string> words{ORDER_FULFILMENT};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const int file = open_to_write(output);
    const int errors_file = errors.empty() ? STDERR_FILENO : open_to_write(errors);
    pid_ = ::fork();
    if (pid_ == 0) {
        ::dup2(file, STDOUT_FILENO);
        ::dup2(errors_file, STDERR_FILENO);
        ::execv(ORDER_FULFILMENT, pointers.data());
        ::_exit(127);
    }
    ::close(file);
    if (errors_file != STDERR_FILENO) ::close(errors_file);
    if (pid_ < 0) throw std::runtime_error("cannot fork");
}

RunningProgram::~RunningProgram() { kill(); }

bool RunningProgram::is_running() {
    int status = 0;
    if (running_ && ::waitpid(pid_, &status, WNOHANG) == pid_) ended(status);
    return running_;
}

bool RunningProgram::kill() {
    if (!is_running()) return false;
    ::kill(pid_, SIGKILL);
    wait();
    return true;
}

int RunningProgram::wait() {
    int status = 0;
    while (running_) {
        if (::waitpid(pid_, &status, 0) == pid_)
            ended(status);
        else if (errno != EINTR)
            throw std::runtime_error("cannot wait for the program");
    }
    return code_;
}

void RunningProgram::ended(int status) {
    running_ = false;
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string text_of_file(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream{path}.rdbuf();
    return text.str();
}

std::string run_program(const Arguments& arguments) {
    const daybook::test::TemporaryDirectory directory;
    const std::string output = directory.file("output");
    const int code = RunningProgram{arguments, output}.wait();
    if (code != 0) {
        throw std::runtime_error(joined(arguments) + " ended with " + std::to_string(code));
    }
    return text_of_file(output);
}

}  // namespace scenario
