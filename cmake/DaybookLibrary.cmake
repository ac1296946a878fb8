# How every library folder becomes a target.

# Adds our language level and, where asked for, our warnings to a target of ours.
function(daybook_compile_settings target)
    target_compile_features(${target} PUBLIC cxx_std_20)
    set_target_properties(${target} PROPERTIES
        CXX_EXTENSIONS OFF
        CXX_VISIBILITY_PRESET hidden
        VISIBILITY_INLINES_HIDDEN ON
        POSITION_INDEPENDENT_CODE ON)
    if(NOT DAYBOOK_WARNINGS)
        return()
    endif()
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
        # GCC 12 sees overlapping copies inside std::string's operator+ where there are none.
        target_compile_options(${target} PRIVATE -Wno-restrict)
    endif()
    if(DAYBOOK_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
endfunction()

# What users of a library need: its headers, and the libraries and packages named.
function(daybook_usage target scope)
    target_include_directories(${target} ${scope}
        $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(${target} ${scope} ${ARGN})
endfunction()

# daybook_library(<folder>
#     [NAME <name>]            the target is daybook_<name>, alias daybook::<name>; default <folder>
#     [STATIC]                 it is no part of libdaybook.so
#     [DEPENDS <name>...]      our own libraries directly below
#     [INTERNALS <folder>...]  whose headers in internal/ it sees as well
#     [DEFINITIONS <definition>...]    for its own sources
#     [PUBLIC_PACKAGES <target>...]    third-party targets whose headers stand in our headers
#     [PRIVATE_PACKAGES <target>...]   third-party targets that a user only links
#     [PRIVATE_HEADERS <target>...]    header-only targets that a user needs not even have
#     [GENERATED <file>...]    generated sources
#     [EXCLUDE <file>...]      sources below src/ that belong to another target
#     [EXPORT <set>])          export set, default daybookTargets
#
# Sources are src/**/*.cpp, public headers stand in include/, internal headers in src/, and in
# internal/ those for folders above. Only include/ is installed.
#
# With DAYBOOK_SHARED, daybook_<name> has the headers and leads to libdaybook.so, which takes the
# object files of daybook_<name>_objects.
function(daybook_library folder)
    set(lists DEPENDS INTERNALS DEFINITIONS PUBLIC_PACKAGES PRIVATE_PACKAGES PRIVATE_HEADERS
        GENERATED EXCLUDE)
    cmake_parse_arguments(PARSE_ARGV 1 arg "STATIC" "NAME;EXPORT" "${lists}")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "daybook_library(${folder}): unknown: ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT arg_NAME)
        set(arg_NAME ${folder})
    endif()
    if(NOT arg_EXPORT)
        set(arg_EXPORT daybookTargets)
    endif()
    set(here "${CMAKE_CURRENT_SOURCE_DIR}")
    set(target daybook_${arg_NAME})

    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${here}/src/*.cpp")
    foreach(excluded IN LISTS arg_EXCLUDE)
        list(REMOVE_ITEM sources "${here}/${excluded}")
    endforeach()
    list(APPEND sources ${arg_GENERATED})

    list(TRANSFORM arg_DEPENDS PREPEND daybook:: OUTPUT_VARIABLE below)
    if(DAYBOOK_SHARED AND NOT arg_STATIC)
        add_library(${target} INTERFACE)
        target_compile_features(${target} INTERFACE cxx_std_20)
        daybook_usage(${target} INTERFACE ${below} ${arg_PUBLIC_PACKAGES} daybook_shared)
        set(compiled ${target}_objects)
        add_library(${compiled} OBJECT ${sources})
        list(TRANSFORM arg_DEPENDS REPLACE ".+" "daybook_\\0_objects" OUTPUT_VARIABLE below)
        daybook_export_headers(${compiled} ${folder})
    else()
        set(compiled ${target})
        add_library(${compiled} STATIC ${sources})
    endif()
    daybook_compile_settings(${compiled})
    target_compile_definitions(${compiled} PRIVATE ${arg_DEFINITIONS})
    target_include_directories(${compiled} PRIVATE "${here}/src")
    foreach(folder IN LISTS arg_INTERNALS)
        target_include_directories(${compiled} PRIVATE "${PROJECT_SOURCE_DIR}/${folder}/internal")
    endforeach()
    target_link_libraries(${compiled} PRIVATE ${arg_PRIVATE_PACKAGES})
    foreach(package IN LISTS arg_PRIVATE_HEADERS)
        target_link_libraries(${compiled} PRIVATE $<BUILD_INTERFACE:${package}>)
    endforeach()
    daybook_usage(${compiled} PUBLIC ${below} ${arg_PUBLIC_PACKAGES})

    add_library(daybook::${arg_NAME} ALIAS ${target})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${arg_NAME})
    install(TARGETS ${target} EXPORT ${arg_EXPORT}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(DIRECTORY "${here}/include/" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        OPTIONAL FILES_MATCHING PATTERN "*.hpp")
endfunction()

# daybook::daybook: all libraries named, and <daybook/daybook.hpp>.
function(daybook_umbrella)
    add_library(daybook_daybook INTERFACE)
    add_library(daybook::daybook ALIAS daybook_daybook)
    list(TRANSFORM ARGN PREPEND daybook:: OUTPUT_VARIABLE libraries)
    target_link_libraries(daybook_daybook INTERFACE ${libraries})
    target_include_directories(daybook_daybook INTERFACE
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    set_target_properties(daybook_daybook PROPERTIES EXPORT_NAME daybook)
    install(TARGETS daybook_daybook EXPORT daybookTargets)
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        OPTIONAL FILES_MATCHING PATTERN "*.hpp")
endfunction()
