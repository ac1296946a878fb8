# cmake -DROOT=<folder> -DLIST=<file with one path a line> -DOUTPUT=<file.cpp>
#     -P EmbedSqlScript.cmake
#
# Writes the C++ source behind schema/src/embedded_sql.hpp. An entry's engine is the folder below
# ROOT that the file stands in, its name is the rest of the path without .sql.

cmake_minimum_required(VERSION 3.22)

set(delimiter "daybook_sql")
set(chunk_max 16000)  # some compilers refuse one literal above 16 kB

# Appends `text` to the variable `out` as adjacent raw string literals, cut at line ends.
function(append_literals text file)
    string(FIND "${text}" ")${delimiter}\"" clash)
    if(NOT clash EQUAL -1)
        message(FATAL_ERROR "${file}: contains )${delimiter}\", which ends the C++ literal")
    endif()
    string(LENGTH "${text}" length)
    while(length GREATER chunk_max)
        string(SUBSTRING "${text}" 0 ${chunk_max} chunk)
        string(FIND "${chunk}" "\n" line_end REVERSE)
        if(line_end EQUAL -1)
            message(FATAL_ERROR "${file}: a line longer than ${chunk_max} bytes")
        endif()
        math(EXPR size "${line_end} + 1")
        string(SUBSTRING "${text}" 0 ${size} chunk)
        string(SUBSTRING "${text}" ${size} -1 text)
        string(LENGTH "${text}" length)
        string(APPEND out "\n        R\"${delimiter}(${chunk})${delimiter}\"")
    endwhile()
    string(APPEND out "\n        R\"${delimiter}(${text})${delimiter}\"")
    set(out "${out}" PARENT_SCOPE)
endfunction()

file(STRINGS "${LIST}" files)
set(keys "")
foreach(file IN LISTS files)
    file(RELATIVE_PATH path "${ROOT}" "${file}")
    string(REGEX REPLACE "^([^/]+)/(.+)\\.sql$" "\\1" engine "${path}")
    string(REGEX REPLACE "^([^/]+)/(.+)\\.sql$" "\\2" name "${path}")
    list(APPEND keys "${engine},${name},${file}")
endforeach()
list(SORT keys)  # a comma comes before whatever a name holds

set(out "// Generated from the .sql files; change those.\n#include \"embedded_sql.hpp\"\n\n")
string(APPEND out "#include <array>\n\nnamespace daybook::detail {\nnamespace {\n\n")
list(LENGTH keys count)
string(APPEND out "constexpr std::array<EmbeddedSql, ${count}> entries{")
if(count GREATER 0)
    string(APPEND out "{")
endif()
foreach(key IN LISTS keys)
    string(REPLACE "," ";" parts "${key}")
    list(GET parts 0 engine)
    list(GET parts 1 name)
    list(GET parts 2 file)
    file(READ "${file}" text)
    string(APPEND out "\n    EmbeddedSql{\"${engine}\", \"${name}\",")
    append_literals("${text}" "${file}")
    string(APPEND out "},")
endforeach()
if(count GREATER 0)
    string(APPEND out "\n}")
endif()
string(APPEND out "};\n\n}  // namespace\n\n")
string(APPEND out "std::span<const EmbeddedSql> embedded_sql() noexcept { return entries; }\n\n")
string(APPEND out "}  // namespace daybook::detail\n")
file(WRITE "${OUTPUT}" "${out}")
