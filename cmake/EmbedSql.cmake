# daybook_embed_sql(<variable> <directory>): generates one .cpp that holds the text of every .sql
# file in <directory>/<engine>/, as src/embedded_sql.hpp of the calling folder declares it, and puts
# its path in <variable>. It is made again when a file is changed, added or removed.

set(DAYBOOK_EMBED_SQL_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/EmbedSqlScript.cmake")

function(daybook_embed_sql variable directory)
    get_filename_component(directory "${directory}" ABSOLUTE)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS "${directory}/*.sql")
    set(output "${CMAKE_CURRENT_BINARY_DIR}/embedded_sql.cpp")
    set(list_file "${CMAKE_CURRENT_BINARY_DIR}/embedded_sql.list")
    # The list is a file of its own so that removing an .sql file is seen as a change.
    list(JOIN files "\n" lines)
    file(GENERATE OUTPUT "${list_file}" CONTENT "${lines}\n")
    add_custom_command(
        OUTPUT "${output}"
        COMMAND "${CMAKE_COMMAND}" "-DROOT=${directory}" "-DLIST=${list_file}" "-DOUTPUT=${output}"
                -P "${DAYBOOK_EMBED_SQL_SCRIPT}"
        DEPENDS ${files} "${list_file}" "${DAYBOOK_EMBED_SQL_SCRIPT}"
        COMMENT "Embedding SQL"
        VERBATIM)
    set(${variable} "${output}" PARENT_SCOPE)
endfunction()
