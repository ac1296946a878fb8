# Asks a doctest program for its cases and writes the ctest script that runs each by name.
#
# doctest ships a module for this. It reads a list meant for people, so that `;` and brackets in a
# name break it, and it starts the program once more per case to learn the suite. The XML listing
# has everything at once, with every character intact.

cmake_minimum_required(VERSION 3.22)

execute_process(
    COMMAND "${EXECUTABLE}" --list-test-cases --reporters=xml
    WORKING_DIRECTORY "${WORKING_DIRECTORY}"
    OUTPUT_VARIABLE listing RESULT_VARIABLE result ERROR_VARIABLE errors)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "${EXECUTABLE} cannot list its cases (${result}):\n${listing}${errors}")
endif()

# Characters that mean something in a CMake list or script travel as control characters.
string(ASCII 1 semicolon)
string(ASCII 2 open)
string(ASCII 3 close)
string(ASCII 4 backslash)
string(REPLACE ";" "${semicolon}" listing "${listing}")
string(REPLACE "[" "${open}" listing "${listing}")
string(REPLACE "]" "${close}" listing "${listing}")
string(REPLACE "\\" "${backslash}" listing "${listing}")

# XML entities and the stand-ins above become what the programmer wrote.
function(decode variable text)
    string(REPLACE "${semicolon}" ";" text "${text}")
    string(REPLACE "${open}" "[" text "${text}")
    string(REPLACE "${close}" "]" text "${text}")
    string(REPLACE "${backslash}" "\\" text "${text}")
    string(REPLACE "&quot;" "\"" text "${text}")
    string(REPLACE "&apos;" "'" text "${text}")
    string(REPLACE "&lt;" "<" text "${text}")
    string(REPLACE "&gt;" ">" text "${text}")
    string(REPLACE "&amp;" "&" text "${text}")
    set(${variable} "${text}" PARENT_SCOPE)
endfunction()

string(REPLACE "|" ";" labels "${LABELS}")
string(REGEX MATCHALL "<TestCase [^\n]*" cases "${listing}")
set(script "")
set(seen "")
foreach(case IN LISTS cases)
    string(REGEX MATCH " name=\"([^\"]*)\"" ignored "${case}")
    set(raw "${CMAKE_MATCH_1}")
    if("${raw}" IN_LIST seen)
        decode(text "${raw}")
        message(FATAL_ERROR "two test cases are named \"${text}\"; one would hide the other")
    endif()
    list(APPEND seen "${raw}")
    set(case_labels "${NAME}" ${labels})
    if(case MATCHES " testsuite=\"([^\"]+)\"")
        decode(suite "${CMAKE_MATCH_1}")
        list(APPEND case_labels "${suite}")
    endif()
    set(disabled FALSE)
    if(case MATCHES " skipped=\"true\"")
        set(disabled TRUE)
    endif()
    decode(text "${raw}")
    # In a filter a comma separates; `?` stands for any one character.
    string(REGEX REPLACE "[,\"\\\\]" "?" filter "${text}")
    string(APPEND script
        "add_test([======[${NAME}: ${text}]======] [======[${EXECUTABLE}]======]\n"
        "    [======[--test-case=${filter}]======])\n"
        "set_tests_properties([======[${NAME}: ${text}]======] PROPERTIES\n"
        "    WORKING_DIRECTORY [======[${WORKING_DIRECTORY}]======]\n"
        "    LABELS [======[${case_labels}]======]\n"
        "    TIMEOUT ${TIMEOUT} PROCESSORS ${PROCESSORS} RUN_SERIAL ${SERIAL}\n"
        "    DISABLED ${disabled})\n")
endforeach()
file(WRITE "${OUTPUT}" "${script}")
