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
string(REPLACE "|" ";" all_engines "${ENGINES}")

# Appends the entry `name` to `script`: of the case that `filter` finds, on `engine` if it is one.
function(add_entry name filter engine case_labels disabled)
    set(properties "")
    if(engine)
        list(APPEND case_labels ${engine})
        string(APPEND properties "    ENVIRONMENT DAYBOOK_TEST_ENGINE=${engine}\n")
    endif()
    if(engine STREQUAL "postgres")
        string(APPEND properties "    FIXTURES_REQUIRED postgres\n")
    endif()
    string(APPEND script
        "add_test([======[${name}]======] [======[${EXECUTABLE}]======]\n"
        "    [======[--test-case=${filter}]======])\n"
        "set_tests_properties([======[${name}]======] PROPERTIES\n"
        "    WORKING_DIRECTORY [======[${WORKING_DIRECTORY}]======]\n"
        "    LABELS [======[${case_labels}]======]\n"
        "    TIMEOUT ${TIMEOUT} PROCESSORS ${PROCESSORS} RUN_SERIAL ${SERIAL}\n"
        "${properties}"
        "    DISABLED ${disabled})\n")
    set(script "${script}" PARENT_SCOPE)
endfunction()

string(REGEX MATCHALL "<TestCase [^\n]*" cases "${listing}")
set(script "")
set(seen "")
foreach(case IN LISTS cases)
    string(REGEX MATCH " name=\"([^\"]*)\"" ignored "${case}")
    set(raw "${CMAKE_MATCH_1}")
    decode(text "${raw}")
    if("${raw}" IN_LIST seen)
        message(FATAL_ERROR "two test cases are named \"${text}\"; one would hide the other")
    endif()
    list(APPEND seen "${raw}")
    set(words "")
    if(case MATCHES " testsuite=\"([^\"]+)\"")
        decode(suite "${CMAKE_MATCH_1}")
        string(REPLACE " " ";" words "${suite}")
    endif()
    set(disabled FALSE)
    if(case MATCHES " skipped=\"true\"")
        set(disabled TRUE)
    endif()
    # In a filter a comma separates; `?` stands for any one character.
    string(REGEX REPLACE "[,\"\\\\]" "?" filter "${text}")

    set(its_engines "")
    foreach(engine IN LISTS all_engines)
        if(engine IN_LIST words)
            list(APPEND its_engines ${engine})
        endif()
    endforeach()
    set(case_labels "${NAME}" ${labels} ${words})
    list(REMOVE_ITEM case_labels ${all_engines} no-store)
    if(its_engines OR NOT all_engines OR "no-store" IN_LIST words)
        add_entry("${NAME}: ${text}" "${filter}" "${its_engines}" "${case_labels}" ${disabled})
    else()
        foreach(engine IN LISTS all_engines)
            add_entry("${NAME}: ${engine}: ${text}" "${filter}" ${engine} "${case_labels}"
                ${disabled})
        endforeach()
    endif()
endforeach()
file(WRITE "${OUTPUT}" "${script}")
