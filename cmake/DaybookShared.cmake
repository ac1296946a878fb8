# libdaybook.so: the object files of all libraries, of which it exports what public headers declare.
#
# The headers carry no marks for that. The compiler hides everything but what comes from a public
# header: each source begins with the public headers, included with default visibility. What these
# bring along (instances of the standard library's and of nlohmann/json's templates), and archives
# that are linked in, is held back by the linker, which exports names of `daybook` only.
# See docs/decisions/0020-the-shared-library-exports-its-headers.md.

# Makes the public headers of `folder` visible in the objects of `target`, and in those above it.
function(daybook_export_headers target folder)
    set(header "${CMAKE_CURRENT_BINARY_DIR}/exported_${folder}.hpp")
    file(CONFIGURE OUTPUT "${header}" @ONLY CONTENT
"#pragma GCC visibility push(default)
#include \"daybook/@folder@/@folder@.hpp\"
#pragma GCC visibility pop
")
    target_compile_options(${target} PUBLIC "SHELL:-include \"${header}\"")
endfunction()

# daybook_shared(<folder>...)
function(daybook_shared)
    set(script "${PROJECT_SOURCE_DIR}/cmake/daybook.map")
    list(TRANSFORM ARGN REPLACE ".+" "daybook_\\0_objects" OUTPUT_VARIABLE objects)
    add_library(daybook_shared SHARED)
    target_link_libraries(daybook_shared PRIVATE ${objects})
    target_link_options(daybook_shared PRIVATE "LINKER:--version-script=${script}")
    set_target_properties(daybook_shared PROPERTIES
        OUTPUT_NAME daybook
        EXPORT_NAME shared
        LINKER_LANGUAGE CXX
        LINK_DEPENDS "${script}"
        VERSION ${PROJECT_VERSION}
        # Before 1.0 a minor version may break its users.
        SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
    install(TARGETS daybook_shared EXPORT daybookTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()
