# Gives daybook_sqlite: SQLiteCpp together with the SQLite that it shall run on.
#
# The system's SQLiteCpp names the system's libsqlite3 in its link interface. With a source of our
# user's choice that must not happen, or two SQLites would share one process and, on one file, drop
# each other's locks. So then only SQLiteCpp's archive is taken, and not the target that leads to
# the system's library.

find_package(SQLite3 REQUIRED)
find_package(SQLiteCpp REQUIRED)

add_library(daybook_sqlite INTERFACE)
set_target_properties(daybook_sqlite PROPERTIES EXPORT_NAME sqlite)

if(NOT DAYBOOK_SQLITE_SOURCE)
    target_link_libraries(daybook_sqlite INTERFACE SQLiteCpp SQLite::SQLite3)
else()
    get_filename_component(sqlite_source "${DAYBOOK_SQLITE_SOURCE}" ABSOLUTE
        BASE_DIR "${CMAKE_SOURCE_DIR}")
    foreach(file sqlite3.c sqlite3.h)
        if(NOT EXISTS "${sqlite_source}/${file}")
            message(FATAL_ERROR "DAYBOOK_SQLITE_SOURCE: there is no ${file} in ${sqlite_source}")
        endif()
    endforeach()
    enable_language(C)
    add_library(daybook_sqlite3 STATIC "${sqlite_source}/sqlite3.c")
    # Hidden: a shared library of the same process keeps the SQLite that it was linked with.
    set_target_properties(daybook_sqlite3 PROPERTIES
        EXPORT_NAME sqlite3
        C_VISIBILITY_PRESET hidden
        POSITION_INDEPENDENT_CODE ON)
    target_compile_options(daybook_sqlite3 PRIVATE -w)
    # SQLiteCpp calls the column metadata functions; the rest equals what distributions switch on.
    target_compile_definitions(daybook_sqlite3 PRIVATE
        SQLITE_THREADSAFE=1
        SQLITE_ENABLE_COLUMN_METADATA
        SQLITE_ENABLE_FTS5
        SQLITE_ENABLE_RTREE
        SQLITE_ENABLE_DBSTAT_VTAB
        SQLITE_ENABLE_SESSION
        SQLITE_ENABLE_PREUPDATE_HOOK
        SQLITE_USE_URI)
    target_include_directories(daybook_sqlite3 INTERFACE $<BUILD_INTERFACE:${sqlite_source}>)
    target_link_libraries(daybook_sqlite3 PRIVATE Threads::Threads ${CMAKE_DL_LIBS} m)

    # Before the system's header in the search order, hence not as a system include directory.
    target_include_directories(daybook_sqlite INTERFACE
        $<BUILD_INTERFACE:${sqlite_source}>
        $<BUILD_INTERFACE:$<TARGET_PROPERTY:SQLiteCpp,INTERFACE_INCLUDE_DIRECTORIES>>)
    target_compile_definitions(daybook_sqlite INTERFACE
        $<BUILD_INTERFACE:$<TARGET_PROPERTY:SQLiteCpp,INTERFACE_COMPILE_DEFINITIONS>>)
    target_link_libraries(daybook_sqlite INTERFACE $<TARGET_FILE:SQLiteCpp> daybook_sqlite3)
    if(NOT DAYBOOK_SHARED)
        install(TARGETS daybook_sqlite3 EXPORT daybookTargets
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    endif()
endif()
if(NOT DAYBOOK_SHARED)
    install(TARGETS daybook_sqlite EXPORT daybookTargets)
endif()
add_library(daybook::sqlite ALIAS daybook_sqlite)
