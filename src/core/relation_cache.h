/*
 * relation_cache.h
 *		Descriptions of relations, kept until the relation changes.
 */
#ifndef VMNET_RELATION_CACHE_H
#define VMNET_RELATION_CACHE_H

#include "utils/hsearch.h"
#include "utils/palloc.h"

/* What every description begins with. */
typedef struct CachedRelation
{
	Oid			relid;			/* the relation that is described */
	bool		stale;			/* it, or something it was read from, changed */
	uint64		invalidations;	/* of the cache, when reading began */
	MemoryContext context;		/* has all memory of the description */
} CachedRelation;

/* A cache; a static variable with the first four fields set. */
typedef struct RelationCache
{
	const char *name;
	Size		size;			/* of a description */

	/* Was a description read from another relation too?  NULL: it never is. */
	bool		(*uses_relation) (const CachedRelation *description, Oid relid);

	/* Was it read from a function or type?  NULL: it never is. */
	bool		(*uses_object) (const CachedRelation *description, int cacheid,
								uint32 hashvalue);

	HTAB	   *entries;		/* NULL until first needed */
	CachedRelation *last;		/* found last; NULL: none */
	uint64		invalidations;	/* how often the server reported a change */
} RelationCache;

extern CachedRelation *relation_cache_find(RelationCache *cache, Oid relid);
extern CachedRelation *relation_cache_begin(RelationCache *cache, Oid relid);
extern void relation_cache_store(RelationCache *cache, CachedRelation *description);

#endif							/* VMNET_RELATION_CACHE_H */
