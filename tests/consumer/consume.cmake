# Builds and runs the project next to this file, in the given way, in a scratch folder.

cmake_minimum_required(VERSION 3.22)

function(run)
    execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE "${SCRATCH}")
set(options
    "-G${GENERATOR}"
    "-DCMAKE_CXX_COMPILER=${CXX_COMPILER}"
    "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}"
    "-DCMAKE_CXX_FLAGS_DEBUG=${CXX_FLAGS_DEBUG}")
if(LAUNCHER)
    list(APPEND options "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}")
endif()

if(NOT WAY STREQUAL "add_subdirectory")
    set(prefix "${SCRATCH}/prefix")
    run("${CMAKE_COMMAND}" --install "${DAYBOOK_BUILD}" --prefix "${prefix}")
    # A package that names the tree it was built from works only for whoever built it.
    file(GLOB_RECURSE files "${prefix}/*.cmake" "${prefix}/*.pc")
    foreach(file IN LISTS files)
        file(READ "${file}" text)
        string(FIND "${text}" "${DAYBOOK_SOURCE}" found)
        if(NOT found EQUAL -1)
            message(FATAL_ERROR "${file} names ${DAYBOOK_SOURCE}")
        endif()
    endforeach()
    list(APPEND options "-DCMAKE_PREFIX_PATH=${prefix}")
else()
    # A unity build takes a third of the time, and shows that no two files of a folder clash in it.
    list(APPEND options
        -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=16
        "-DDAYBOOK_SOURCE=${DAYBOOK_SOURCE}" "-DDAYBOOK_SQLITE_SOURCE=${SQLITE_SOURCE}")
endif()
if(WAY STREQUAL "pkg_config")
    set(ENV{PKG_CONFIG_PATH} "${prefix}/${LIBDIR}/pkgconfig")
    find_program(PKG_CONFIG pkg-config REQUIRED)
    execute_process(COMMAND "${PKG_CONFIG}" --cflags --libs daybook
        OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    separate_arguments(flags UNIX_COMMAND "${flags}")
    separate_arguments(debug_flags UNIX_COMMAND "${CXX_FLAGS_DEBUG}")
    run("${CXX_COMPILER}" -std=c++20 ${debug_flags} "${CMAKE_CURRENT_LIST_DIR}/project/main.cpp"
        -o "${SCRATCH}/consumer" ${flags})
    run("${SCRATCH}/consumer")
    return()
endif()
run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/project" -B "${SCRATCH}/build" ${options})
run("${CMAKE_COMMAND}" --build "${SCRATCH}/build" --parallel 2)
run("${SCRATCH}/build/consumer")
