#include "private_cluster.hpp"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <unistd.h>

namespace daybook::test {

PrivateCluster::PrivateCluster() {
    run("start --durable --end-with " + std::to_string(::getpid()));
    std::getline(std::ifstream{directory_.file("uri")}, uri_);
}

PrivateCluster::~PrivateCluster() {
    try {
        run("stop");
    } catch (const std::exception&) {
        // The script has printed the reason, and tries again when this process has ended.
    }
}

void PrivateCluster::kill() { run("kill"); }

void PrivateCluster::restart() { run("restart"); }

std::string PrivateCluster::start_standby() {
    run("standby");
    std::string uri;
    std::getline(std::ifstream{directory_.file("standby_uri")}, uri);
    return uri;
}

void PrivateCluster::promote_standby() { run("promote"); }

// `action` is a command of the script with its options.
void PrivateCluster::run(const std::string& action) const {
    const auto end = action.find(' ');
    const std::string options = end == std::string::npos ? "" : action.substr(end);
    const std::string command = "'" CLUSTER_SCRIPT "' " + action.substr(0, end) + " '" +
                                directory_.path().string() + "'" + options;
    if (std::system(command.c_str()) != 0) throw std::runtime_error(command + " has failed");
}

}  // namespace daybook::test
