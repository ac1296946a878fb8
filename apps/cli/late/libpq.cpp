#include <libpq-fe.h>

#include "late_library.hpp"

// What Daybook calls of libpq. libpq brings some twenty libraries along (TLS, Kerberos, LDAP),
// which take longer to load than most commands to run, and a store in a file needs none of them.

namespace {

daybook::command::LateLibrary& library() {
    static daybook::command::LateLibrary libpq{DAYBOOK_LIBPQ};
    return libpq;
}

}  // namespace

#define LATE(Result, name, parameters, arguments)                                  \
    Result name parameters {                                                       \
        static const auto function = library().function<decltype(&::name)>(#name); \
        return function arguments;                                                 \
    }

extern "C" {

LATE(int, PQbackendPID, (const PGconn* conn), (conn))
LATE(void, PQclear, (PGresult * res), (res))
LATE(char*, PQcmdStatus, (PGresult * res), (res))
LATE(char*, PQcmdTuples, (PGresult * res), (res))
LATE(PostgresPollingStatusType, PQconnectPoll, (PGconn * conn), (conn))
LATE(PGconn*, PQconnectStartParams,
     (const char* const* keywords, const char* const* values, int expand_dbname),
     (keywords, values, expand_dbname))
LATE(void, PQconninfoFree, (PQconninfoOption * connOptions), (connOptions))
LATE(PQconninfoOption*, PQconninfoParse, (const char* conninfo, char** errmsg), (conninfo, errmsg))
LATE(int, PQconnectionNeedsPassword, (const PGconn* conn), (conn))
LATE(int, PQconsumeInput, (PGconn * conn), (conn))
LATE(int, PQenterPipelineMode, (PGconn * conn), (conn))
LATE(char*, PQerrorMessage, (const PGconn* conn), (conn))
LATE(int, PQexitPipelineMode, (PGconn * conn), (conn))
LATE(void, PQfinish, (PGconn * conn), (conn))
LATE(int, PQflush, (PGconn * conn), (conn))
LATE(char*, PQfname, (const PGresult* res, int field_num), (res, field_num))
LATE(void, PQfreemem, (void* ptr), (ptr))
LATE(Oid, PQftable, (const PGresult* res, int field_num), (res, field_num))
LATE(Oid, PQftype, (const PGresult* res, int field_num), (res, field_num))
LATE(PGresult*, PQgetResult, (PGconn * conn), (conn))
LATE(int, PQgetisnull, (const PGresult* res, int tup_num, int field_num), (res, tup_num, field_num))
LATE(int, PQgetlength, (const PGresult* res, int tup_num, int field_num), (res, tup_num, field_num))
LATE(char*, PQgetvalue, (const PGresult* res, int tup_num, int field_num),
     (res, tup_num, field_num))
LATE(int, PQisBusy, (PGconn * conn), (conn))
LATE(int, PQnfields, (const PGresult* res), (res))
LATE(PGnotify*, PQnotifies, (PGconn * conn), (conn))
LATE(int, PQntuples, (const PGresult* res), (res))
LATE(const char*, PQparameterStatus, (const PGconn* conn, const char* paramName), (conn, paramName))
LATE(int, PQpipelineSync, (PGconn * conn), (conn))
LATE(char*, PQresultErrorField, (const PGresult* res, int fieldcode), (res, fieldcode))
LATE(char*, PQresultErrorMessage, (const PGresult* res), (res))
LATE(ExecStatusType, PQresultStatus, (const PGresult* res), (res))
LATE(int, PQsendPrepare,
     (PGconn * conn, const char* stmtName, const char* query, int nParams, const Oid* paramTypes),
     (conn, stmtName, query, nParams, paramTypes))
LATE(int, PQsendQuery, (PGconn * conn, const char* query), (conn, query))
LATE(int, PQsendQueryParams,
     (PGconn * conn, const char* command, int nParams, const Oid* paramTypes,
      const char* const* paramValues, const int* paramLengths, const int* paramFormats,
      int resultFormat),
     (conn, command, nParams, paramTypes, paramValues, paramLengths, paramFormats, resultFormat))
LATE(int, PQsendQueryPrepared,
     (PGconn * conn, const char* stmtName, int nParams, const char* const* paramValues,
      const int* paramLengths, const int* paramFormats, int resultFormat),
     (conn, stmtName, nParams, paramValues, paramLengths, paramFormats, resultFormat))
LATE(int, PQserverVersion, (const PGconn* conn), (conn))
LATE(PGVerbosity, PQsetErrorVerbosity, (PGconn * conn, PGVerbosity verbosity), (conn, verbosity))
LATE(PQnoticeProcessor, PQsetNoticeProcessor, (PGconn * conn, PQnoticeProcessor proc, void* arg),
     (conn, proc, arg))
LATE(int, PQsetSingleRowMode, (PGconn * conn), (conn))
LATE(int, PQsetnonblocking, (PGconn * conn, int arg), (conn, arg))
LATE(int, PQsocket, (const PGconn* conn), (conn))
LATE(ConnStatusType, PQstatus, (const PGconn* conn), (conn))
LATE(PGTransactionStatusType, PQtransactionStatus, (const PGconn* conn), (conn))

}  // extern "C"
