#pragma once
#include <mpi.h>

// Open MPI's handles are macros over casts, which Swift cannot read: one getter each.

static inline MPI_Comm cmpi_comm_world(void)
    __attribute__((swift_name("getter:MPI_COMM_WORLD()"))) { return MPI_COMM_WORLD; }
static inline MPI_Datatype cmpi_byte(void)
    __attribute__((swift_name("getter:MPI_BYTE()"))) { return MPI_BYTE; }
static inline MPI_Datatype cmpi_int32(void)
    __attribute__((swift_name("getter:MPI_INT32_T()"))) { return MPI_INT32_T; }
static inline MPI_Datatype cmpi_int64(void)
    __attribute__((swift_name("getter:MPI_INT64_T()"))) { return MPI_INT64_T; }
static inline MPI_Op cmpi_max(void)
    __attribute__((swift_name("getter:MPI_MAX()"))) { return MPI_MAX; }
static inline MPI_Request cmpi_request_null(void)
    __attribute__((swift_name("getter:MPI_REQUEST_NULL()"))) { return MPI_REQUEST_NULL; }
static inline MPI_Status *cmpi_status_ignore(void)
    __attribute__((swift_name("getter:MPI_STATUS_IGNORE()"))) { return MPI_STATUS_IGNORE; }
static inline MPI_Errhandler cmpi_errors_return(void)
    __attribute__((swift_name("getter:MPI_ERRORS_RETURN()"))) { return MPI_ERRORS_RETURN; }
static inline MPI_Info cmpi_info_null(void)
    __attribute__((swift_name("getter:MPI_INFO_NULL()"))) { return MPI_INFO_NULL; }
static inline MPI_Op cmpi_min(void)
    __attribute__((swift_name("getter:MPI_MIN()"))) { return MPI_MIN; }
static inline MPI_Datatype cmpi_float(void)
    __attribute__((swift_name("getter:MPI_FLOAT()"))) { return MPI_FLOAT; }
static inline MPI_Op cmpi_sum(void)
    __attribute__((swift_name("getter:MPI_SUM()"))) { return MPI_SUM; }
