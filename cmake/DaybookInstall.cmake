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
install(EXPORT daybookTargets NAMESPACE daybook:: DESTINATION "${daybook_config_dir}")
if(TARGET daybook_command)
    install(EXPORT daybookCommandTargets NAMESPACE daybook:: DESTINATION "${daybook_config_dir}")
endif()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
