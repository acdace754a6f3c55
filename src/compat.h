/*
 * compat.h
 *		Differences between versions of PostgreSQL; no other file knows them.
 */
#ifndef VMNET_COMPAT_H
#define VMNET_COMPAT_H

#include "postgres.h"
#include "fmgr.h"

#if PG_VERSION_NUM < 150000
#error "vmnet_ext needs PostgreSQL 15 or later"
#endif

/* The code takes bigint and timestamptz out of a Datum. */
#ifndef USE_FLOAT8_BYVAL
#error "vmnet_ext needs a 64-bit build of PostgreSQL: bigint must be passed by value"
#endif

/*
 * The library is built with hidden symbols; before 16, PG_FUNCTION_INFO_V1 does
 * not export what it declares.
 */
#if PG_VERSION_NUM < 160000
#if defined(__GNUC__) && !defined(WIN32)
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif
#undef PG_FUNCTION_INFO_V1
#define PG_FUNCTION_INFO_V1(funcname) \
extern PGDLLEXPORT Datum funcname(PG_FUNCTION_ARGS); \
extern PGDLLEXPORT const Pg_finfo_record *CppConcat(pg_finfo_,funcname)(void); \
const Pg_finfo_record * \
CppConcat(pg_finfo_,funcname) (void) \
{ \
	static const Pg_finfo_record my_finfo = { 1 }; \
	return &my_finfo; \
} \
extern int no_such_variable
#endif

/* 16 moved the VARATT macros out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 18 lets a module give its name and version. */
#if PG_VERSION_NUM >= 180000
#define VMNET_MODULE_MAGIC \
	PG_MODULE_MAGIC_EXT(.name = "vmnet_ext", .version = VMNET_EXT_VERSION)
#else
#define VMNET_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/* 16 made one check of owners of many, and one of privileges. */
#if PG_VERSION_NUM >= 160000
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "utils/acl.h"
#define relation_ownercheck(relid, roleid) \
	object_ownercheck(RelationRelationId, relid, roleid)
#define may_use_schema(schema, roleid) \
	(object_aclcheck(NamespaceRelationId, schema, roleid, ACL_USAGE) == ACLCHECK_OK)
#else
#include "utils/acl.h"
#define relation_ownercheck(relid, roleid) \
	pg_class_ownercheck(relid, roleid)
#define may_use_schema(schema, roleid) \
	(pg_namespace_aclcheck(schema, roleid, ACL_USAGE) == ACLCHECK_OK)
#endif

/* 18 has CHECKs that are not enforced. */
#if PG_VERSION_NUM >= 180000
#define check_is_enforced(check) ((check)->ccenforced)
#else
#define check_is_enforced(check) ((void) (check), true)
#endif

/* 16 gave this function one more argument. */
#if PG_VERSION_NUM >= 160000
#define insert_index_tuples(result_rel, slot, estate) \
	ExecInsertIndexTuples(result_rel, slot, estate, false, false, NULL, NIL, false)
#else
#define insert_index_tuples(result_rel, slot, estate) \
	ExecInsertIndexTuples(result_rel, slot, estate, false, false, NULL, NIL)
#endif

#endif							/* VMNET_COMPAT_H */
