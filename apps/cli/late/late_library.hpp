#pragma once

// A shared library that is loaded when it is called for the first time, and not when the program
// starts. The program defines the functions that it calls of the library; each looks for the
// function of its own name there:
//
//   daybook --store orders.db read order-1           nothing is loaded
//   daybook --store postgresql://... read order-1    PQconnectStartParams -> libpq.so.5

namespace daybook::command {

class LateLibrary {
public:
    /// Loads `name`, such as "libpq.so.5". Throws InvalidError that says what to install.
    explicit LateLibrary(const char* name);
    // Never unloaded: what it has started may run to the end of the program.

    /// Throws InvalidError if the library is too old to have it.
    template <class Function>
    Function function(const char* name) const {
        return reinterpret_cast<Function>(find(name));
    }

private:
    void* find(const char* name) const;

    const char* name_;
    void* handle_;
};

}  // namespace daybook::command
