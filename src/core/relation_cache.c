/*
 * relation_cache.c
 *		Descriptions of relations, kept until the relation changes.
 *
 * A description is read once: relation_cache_begin() allocates it, the caller
 * fills it in, relation_cache_store() keeps it.  It never changes afterwards.  An
 * invalidation only marks it as stale; a later reading makes another one.  The
 * old one is freed at the end of the transaction, since a caller further up the
 * stack may still use it.
 *
 * An invalidation can arrive while a description is being read.  Then it is
 * stale from the beginning: its reader uses it, and the next call reads anew.
 */
#include "postgres.h"

#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "compat.h"
#include "core/relation_cache.h"

typedef struct RelationCacheEntry
{
	Oid			relid;			/* hash key, must be first */
	CachedRelation *description;
} RelationCacheEntry;

/*
 * Marks the descriptions that a changed relation is part of; InvalidOid means
 * all of them.
 */
static void
relation_changed(Datum arg, Oid relid)
{
	RelationCache *cache = (RelationCache *) DatumGetPointer(arg);
	HASH_SEQ_STATUS status;
	RelationCacheEntry *entry;

	cache->invalidations++;
	hash_seq_init(&status, cache->entries);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (!OidIsValid(relid) || relid == entry->relid ||
			(cache->uses_relation && cache->uses_relation(entry->description, relid)))
			entry->description->stale = true;
	}
}

/*
 * Marks the descriptions that a changed function or type is part of; the hash
 * value 0 means all of them.
 */
static void
object_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	RelationCache *cache = (RelationCache *) DatumGetPointer(arg);
	HASH_SEQ_STATUS status;
	RelationCacheEntry *entry;

	cache->invalidations++;
	hash_seq_init(&status, cache->entries);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (cache->uses_object(entry->description, cacheid, hashvalue))
			entry->description->stale = true;
	}
}

/*
 * Creates the hash table of a cache and registers its callbacks, once a session.
 */
static void
cache_init(RelationCache *cache)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(RelationCacheEntry);
	ctl.hcxt = AllocSetContextCreate(TopMemoryContext, "vmnet relation cache",
									 ALLOCSET_SMALL_SIZES);
	MemoryContextSetIdentifier(ctl.hcxt, cache->name);
	cache->entries = hash_create(cache->name, 8, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(relation_changed, PointerGetDatum(cache));
	if (cache->uses_object == NULL)
		return;
	CacheRegisterSyscacheCallback(PROCOID, object_changed, PointerGetDatum(cache));
	CacheRegisterSyscacheCallback(TYPEOID, object_changed, PointerGetDatum(cache));
}

/*
 * Returns the description of a relation; NULL if there is none, or it is stale.
 *
 * The result is valid until the end of the transaction.
 */
CachedRelation *
relation_cache_find(RelationCache *cache, Oid relid)
{
	RelationCacheEntry *entry;

	/* Rows of one table follow each other. */
	if (cache->last && cache->last->relid == relid && !cache->last->stale)
		return cache->last;
	if (cache->entries == NULL)
		cache_init(cache);
	entry = hash_search(cache->entries, &relid, HASH_FIND, NULL);
	if (entry == NULL || entry->description->stale)
		return NULL;
	return cache->last = entry->description;
}

/*
 * Returns a new description of a relation, zeroed but for what the cache needs.
 *
 * It is allocated in a memory context of its own, a child of the current one;
 * what it points to has to be allocated there too.  After an error the parent
 * frees it.  Must be called after relation_cache_find() and before the relation is
 * read.
 */
CachedRelation *
relation_cache_begin(RelationCache *cache, Oid relid)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vmnet relation",
												  ALLOCSET_SMALL_SIZES);
	CachedRelation *description = MemoryContextAllocZero(context, cache->size);

	description->relid = relid;
	description->invalidations = cache->invalidations;
	description->context = context;
	return description;
}

/*
 * Frees a description at the end of the transaction; it may be in use until
 * then.
 */
static void
free_at_xact_end(CachedRelation *description)
{
	MemoryContextSetParent(description->context, TopTransactionContext);
}

/*
 * Drops stale descriptions, those of dropped relations among them.
 */
static void
drop_stale(RelationCache *cache)
{
	HASH_SEQ_STATUS status;
	RelationCacheEntry *entry;

	hash_seq_init(&status, cache->entries);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (!entry->description->stale)
			continue;
		free_at_xact_end(entry->description);
		hash_search(cache->entries, &entry->relid, HASH_REMOVE, NULL);
	}
}

/*
 * Keeps a description that is complete, in place of an older one.
 */
void
relation_cache_store(RelationCache *cache, CachedRelation *description)
{
	RelationCacheEntry *entry;
	bool		found;

	/* No other function frees descriptions. */
	cache->last = NULL;
	drop_stale(cache);
	entry = hash_search(cache->entries, &description->relid, HASH_ENTER, &found);
	if (found)
		free_at_xact_end(entry->description);
	entry->description = description;
	description->stale = description->invalidations != cache->invalidations;
	MemoryContextSetParent(description->context, TopMemoryContext);
}
