#pragma once

#include <sqlite3.h>

#include "floor.h"

// Shared by the floor's own files.
struct floor_log {
    sqlite3* db;
    sqlite3_stmt* begin;
    sqlite3_stmt* commit;
    sqlite3_stmt* insert;
    sqlite3_stmt* load;
    sqlite3_stmt* scan;
    sqlite3_stmt* scan_slim;
    sqlite3_stmt* scan_key;
    char error[256];
};

// Adds every column of the current row of `statement` (not `scan_key`) to `sum`.
void floor_add_row(sqlite3_stmt* statement, floor_sum* sum);

// Keeps `db`'s message for floor_error; returns 1.
int floor_fail(struct floor_log* log, sqlite3* db);
