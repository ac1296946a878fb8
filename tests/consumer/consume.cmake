# Builds and runs the project next to this file, in the given way, in a scratch folder:
#
#     find_package, pkg_config   by a package of the build that runs this test
#     add_subdirectory           as a part of the project; configured only, as its libraries would
#                                be compiled as the build that runs this test has compiled them
#     shared                     as a part of the project with libdaybook.so; then by its packages

cmake_minimum_required(VERSION 3.22)

function(run)
    execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE "${SCRATCH}")
set(prefix "${SCRATCH}/prefix")
set(include "${prefix}/include")
set(options
    "-G${GENERATOR}"
    "-DCMAKE_CXX_COMPILER=${CXX_COMPILER}"
    "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}"
    "-DCMAKE_CXX_FLAGS_DEBUG=${CXX_FLAGS_DEBUG}")
if(LAUNCHER)
    list(APPEND options "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}")
endif()

function(configure directory)
    run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/project" -B "${SCRATCH}/${directory}"
        ${options} ${ARGN})
endfunction()

function(build_and_run directory)
    run("${CMAKE_COMMAND}" --build "${SCRATCH}/${directory}" --parallel 2)
    run("${SCRATCH}/${directory}/consumer")
endfunction()

function(install_from build)
    run("${CMAKE_COMMAND}" --install "${build}" --prefix "${prefix}")
    # A package that names the tree it was built from works only for whoever built it.
    file(GLOB_RECURSE files "${prefix}/*.cmake" "${prefix}/*.pc")
    foreach(file IN LISTS files)
        file(READ "${file}" text)
        string(FIND "${text}" "${DAYBOOK_SOURCE}" found)
        if(NOT found EQUAL -1)
            message(FATAL_ERROR "${file} names ${DAYBOOK_SOURCE}")
        endif()
    endforeach()
    if(EXISTS "${prefix}/bin/daybook")
        run("${prefix}/bin/daybook" --version)
    endif()
endfunction()

function(consume_by_find_package)
    configure(found "-DCMAKE_PREFIX_PATH=${prefix}")
    build_and_run(found)
endfunction()

function(consume_by_pkg_config)
    set(ENV{PKG_CONFIG_PATH} "${prefix}/${LIBDIR}/pkgconfig")
    find_program(PKG_CONFIG pkg-config REQUIRED)
    execute_process(COMMAND "${PKG_CONFIG}" --cflags --libs daybook
        OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    separate_arguments(flags UNIX_COMMAND "${flags}")
    separate_arguments(debug_flags UNIX_COMMAND "${CXX_FLAGS_DEBUG}")
    run("${CXX_COMPILER}" -std=c++20 ${debug_flags} "${CMAKE_CURRENT_LIST_DIR}/project/main.cpp"
        -o "${SCRATCH}/by_pkg_config" ${flags})
    set(ENV{LD_LIBRARY_PATH} "${prefix}/${LIBDIR}")
    run("${SCRATCH}/by_pkg_config")
endfunction()

# Those of the symbols in the file `listing` that the installed headers do not declare.
function(undeclared_symbols listing result)
    execute_process(COMMAND "${CMAKE_CURRENT_LIST_DIR}/undeclared_symbols" "${include}"
        INPUT_FILE "${listing}" OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
    set(${result} "${symbols}" PARENT_SCOPE)
endfunction()

function(check_exported_symbols library)
    set(listing "${SCRATCH}/exported.txt")
    find_program(NM nm REQUIRED)
    execute_process(COMMAND "${NM}" -D --defined-only -C "${library}"
        OUTPUT_FILE "${listing}" COMMAND_ERROR_IS_FATAL ANY)
    undeclared_symbols("${listing}" symbols)
    if(symbols)
        message(FATAL_ERROR "${library} exports what no public header declares:\n${symbols}")
    endif()
    file(READ "${listing}" exported)
    foreach(symbol "daybook::EventStore::open(" "typeinfo for daybook::ConflictError"
            "daybook::detail::RepositoryCore::load(")
        string(FIND "${exported}" "${symbol}" found)
        if(found EQUAL -1)
            message(FATAL_ERROR "${library} does not export ${symbol}")
        endif()
    endforeach()
    # The check finds each kind of symbol that has no business there.
    foreach(symbol "sqlite3_open" "SQLite::Database::exec(char const*)" "simdjson::dom::parser::f()"
            "typeinfo for nlohmann::json" "std::vector<daybook::Conflict>::begin()"
            "daybook::sqlite::Writer::append()" "daybook::detail::Outage::end()")
        file(WRITE "${listing}" "${exported}0000000000001000 T ${symbol}\n")
        undeclared_symbols("${listing}" symbols)
        if(NOT symbols STREQUAL "0000000000001000 T ${symbol}\n")
            message(FATAL_ERROR "an exported ${symbol} would not be found:\n${symbols}")
        endif()
    endforeach()
endfunction()

if(WAY STREQUAL "add_subdirectory")
    configure(build "-DDAYBOOK_SOURCE=${DAYBOOK_SOURCE}" "-DDAYBOOK_SQLITE_SOURCE=${SQLITE_SOURCE}")
elseif(WAY STREQUAL "shared")
    # A unity build takes a third of the time, and shows that no two files of a folder clash in it.
    configure(build "-DDAYBOOK_SOURCE=${DAYBOOK_SOURCE}" "-DDAYBOOK_SQLITE_SOURCE=${SQLITE_SOURCE}"
        -DBUILD_SHARED_LIBS=ON -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=16)
    build_and_run(build)
    install_from("${SCRATCH}/build")
    check_exported_symbols("${prefix}/${LIBDIR}/libdaybook.so")
    consume_by_find_package()
    consume_by_pkg_config()
else()
    install_from("${DAYBOOK_BUILD}")
    cmake_language(CALL "consume_by_${WAY}")
endif()
