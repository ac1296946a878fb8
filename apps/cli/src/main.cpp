#include "daybook/command/command.hpp"

int main(int argc, char** argv) {
    return daybook::command::run(
        argc, argv, {.help = "Looks into a Daybook store, appends to it, runs what stands on it"});
}
