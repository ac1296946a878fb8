# What find_package(daybook) finds. Headers and libraries install themselves where they are made.

include(CMakePackageConfigHelpers)

set(daybook_config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/daybook")
configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/daybookConfig.cmake.in"
    "${PROJECT_BINARY_DIR}/daybookConfig.cmake"
    INSTALL_DESTINATION "${daybook_config_dir}")
# Before 1.0 a minor version may break its users.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/daybookConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/daybookConfig.cmake"
    "${PROJECT_BINARY_DIR}/daybookConfigVersion.cmake"
    DESTINATION "${daybook_config_dir}")
# The same for pkg-config. Whoever links static libraries names what they need, in the order of the
# levels, from the top; the shared library names that itself.
if(DAYBOOK_SHARED)
    set(daybook_pc_requires "nlohmann_json")
    set(daybook_pc_libs "-ldaybook")
else()
    set(daybook_pc_requires "nlohmann_json simdjson libpq libcrypto")
    set(daybook_pc_libs "")
    foreach(library IN LISTS DAYBOOK_LIBRARIES)
        string(PREPEND daybook_pc_libs "-ldaybook_${library} ")
    endforeach()
    if(DAYBOOK_SQLITE_SOURCE)
        string(APPEND daybook_pc_libs "-lSQLiteCpp -ldaybook_sqlite3 -ldl -lm -lpthread")
    else()
        string(APPEND daybook_pc_requires " sqlite3")
        string(APPEND daybook_pc_libs "-lSQLiteCpp -lpthread")
    endif()
endif()
set(daybook_pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH daybook_pc_to_prefix "/${daybook_pc_dir}" "/")
string(REGEX REPLACE "/$" "" daybook_pc_to_prefix "${daybook_pc_to_prefix}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/daybook.pc.in" "${PROJECT_BINARY_DIR}/daybook.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/daybook.pc" DESTINATION "${daybook_pc_dir}")

install(EXPORT daybookTargets NAMESPACE daybook:: DESTINATION "${daybook_config_dir}")
if(TARGET daybook_command)
    install(EXPORT daybookCommandTargets NAMESPACE daybook:: DESTINATION "${daybook_config_dir}")
endif()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
