# How a directory of test files becomes one program and many ctest entries.

set(DAYBOOK_DISCOVER_TESTS_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/DiscoverTestsScript.cmake")

# The runner with doctest's main, compiled once for all test programs.
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/doctest_main.cpp" CONTENT
"#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
")
add_library(daybook_doctest_main OBJECT "${PROJECT_BINARY_DIR}/doctest_main.cpp")
target_compile_features(daybook_doctest_main PUBLIC cxx_std_20)
target_link_libraries(daybook_doctest_main PUBLIC doctest::doctest)

# With DAYBOOK_TEST_SUITE only the test files that name this suite are built, and what they share: a
# list of sources is cut down to these, or to nothing.
function(daybook_keep_suite list suite)
    set(kept "")
    set(found FALSE)
    foreach(source IN LISTS ${list})
        file(STRINGS "${source}" cases REGEX "TEST_CASE" LIMIT_COUNT 1)
        file(STRINGS "${source}" of_suite LIMIT_COUNT 1
            REGEX "(test_suite|TEST_SUITE|TEST_SUITE_BEGIN)[(]\"[^\"]*${suite}")
        if(of_suite)
            set(found TRUE)
        endif()
        if(of_suite OR NOT cases)
            list(APPEND kept "${source}")
        endif()
    endforeach()
    if(NOT found)
        set(kept "")
    endif()
    set(${list} "${kept}" PARENT_SCOPE)
endfunction()

# daybook_test(<name>
#     [DIRECTORY <dir>]        all of its *.cpp are compiled; default: the calling folder
#     [LIBRARIES <target>...]  when one of them is not built, neither is the test
#     [INTERNALS <folder>...]  also sees the internal headers in <folder>/src
#     [ENGINES <engine>...]    sqlite, postgres: the cases open stores through store_location.hpp
#     [LABELS <label>...]      ctest labels besides <name>
#     [TIMEOUT <seconds>]      for each test case, default 900
#     [PROCESSORS <n>] [SERIAL])   what a case needs: n cores, or the machine for itself
#
# Makes the target test-<name> and one ctest entry "<name>: <test case>" per TEST_CASE. A case in
# TEST_SUITE("x y") also has the labels x and y: so single cases are marked, say, `concurrent`. Any
# character may stand in the name of a case; two cases of one name stop the build.
#
# With ENGINES there is an entry "<name>: <engine>: <test case>" for each, with the engine as a
# label. A case that is about one engine has that in its suite and one entry without it in its name;
# a case that opens no store has the suite `no-store` and one entry.
function(daybook_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "DIRECTORY;TIMEOUT;PROCESSORS"
        "LIBRARIES;INTERNALS;ENGINES;LABELS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "daybook_test(${name}): unknown: ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT arg_DIRECTORY)
        set(arg_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    endif()
    get_filename_component(directory "${arg_DIRECTORY}" ABSOLUTE)
    file(GLOB sources CONFIGURE_DEPENDS "${directory}/*.cpp")
    if(DAYBOOK_TEST_SUITE)
        daybook_keep_suite(sources "${DAYBOOK_TEST_SUITE}")
    endif()
    if(NOT sources)
        return()
    endif()
    foreach(library IN LISTS arg_LIBRARIES)
        if(NOT TARGET ${library})
            message(STATUS "daybook: no test-${name}, because ${library} is not built")
            return()
        endif()
    endforeach()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 900)
    endif()
    if(NOT arg_PROCESSORS)
        set(arg_PROCESSORS 1)
    endif()

    set(target test-${name})
    add_executable(${target} ${sources})
    daybook_compile_settings(${target})
    target_link_libraries(${target} PRIVATE daybook_doctest_main ${arg_LIBRARIES})
    target_include_directories(${target} PRIVATE
        "${PROJECT_SOURCE_DIR}/tests/support" "${directory}"
        "${PROJECT_SOURCE_DIR}/core/internal" "${PROJECT_SOURCE_DIR}/schema/internal"
        "${PROJECT_SOURCE_DIR}/eventstore/internal")
    foreach(folder IN LISTS arg_INTERNALS)
        target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/${folder}/src")
    endforeach()
    if(arg_ENGINES)
        target_link_libraries(${target} PRIVATE daybook_test_support)
    endif()

    list(JOIN arg_LABELS "|" labels)
    list(JOIN arg_ENGINES "|" engines)
    set(tests_file "${CMAKE_CURRENT_BINARY_DIR}/${target}_tests.cmake")
    add_custom_command(TARGET ${target} POST_BUILD
        BYPRODUCTS "${tests_file}"
        COMMAND "${CMAKE_COMMAND}"
            "-DEXECUTABLE=$<TARGET_FILE:${target}>"
            "-DNAME=${name}"
            "-DENGINES=${engines}"
            "-DLABELS=${labels}"
            "-DTIMEOUT=${arg_TIMEOUT}"
            "-DPROCESSORS=${arg_PROCESSORS}"
            "-DSERIAL=${arg_SERIAL}"
            "-DWORKING_DIRECTORY=${CMAKE_CURRENT_BINARY_DIR}"
            "-DOUTPUT=${tests_file}"
            -P "${DAYBOOK_DISCOVER_TESTS_SCRIPT}"
        VERBATIM)
    set(include_file "${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake")
    file(CONFIGURE OUTPUT "${include_file}" @ONLY CONTENT [=[
if(EXISTS "@tests_file@")
    include("@tests_file@")
else()
    add_test("@name@: NOT BUILT" "@target@-not-built")
endif()
]=])
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${include_file}")
endfunction()
