/*
 * parent_rules.c
 *		The refusals of networks and instances, of managed and attached tables.
 *
 * The guards look for held NICs each in their own way; what they say of them is
 * here.  A half-removed NIC is held, too: its address may still be in use.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/counted.h"
#include "nic/parent_rules.h"

const ParentKind network_kind = {
	"network", "network_in_use", "network_removed_once",
	"network_removed_after_created", "network_removed_after_nics",
	NIC_NETWORK_ID, NIC_INSTANCE_ID, "instance"
};

const ParentKind instance_kind = {
	"instance", "instance_in_use", "instance_removed_once",
	"instance_removed_after_created", "instance_removed_after_nics",
	NIC_INSTANCE_ID, NIC_NETWORK_ID, "network"
};

/*
 * Returns a column of a row of the SPI result as text; NULL if it is NULL.
 */
static char *
column_text(uint64 row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

/*
 * Returns a bigint column of the first row of the SPI result.
 */
static int64
column_bigint(int column)
{
	bool		isnull;

	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
									   column, &isnull));
}

/*
 * Reads the held NICs of a network or instance from the result of a query.
 *
 * It has at least one row, and these columns: id, state, the id of the NIC's
 * other parent, whether it is half-removed, how many held NICs there are in all,
 * and how many of these are half-removed.  The texts are allocated in the
 * memory context of SPI.
 */
void
held_nics_read(HeldNics *nics, const ParentKind *kind)
{
	StringInfoData named;
	StringInfoData half;
	uint64		i;

	initStringInfo(&named);
	initStringInfo(&half);
	for (i = 0; i < SPI_processed; i++)
	{
		char	   *state = column_text(i, 2);
		char	   *other = column_text(i, 3);
		char	   *half_removed = column_text(i, 4);

		appendStringInfo(&named, "%sNIC %s (%s%s%s %s)", i > 0 ? ", " : "",
						 column_text(i, 1), state ? state : "", state ? ", " : "",
						 kind->other_noun, other ? other : "none");
		if (half_removed && half_removed[0] == 't')
			appendStringInfo(&half, "%s%s", half.len > 0 ? ", " : "", column_text(i, 1));
	}
	nics->total = column_bigint(5);
	nics->half_removed = column_bigint(6);
	nics->named = named.data;
	nics->half_removed_ids = half.data;
}

/*
 * Returns the DETAIL about held NICs: "2 NICs are held, 1 of them half-removed",
 * and which ones, if the user may see them.
 */
static char *
held_nics_detail(const ParentRefusal *refusal, const HeldNics *nics, const char *table)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, counted(nics->total, "NIC is held", "NICs are held"));
	if (nics->half_removed > 0)
		appendStringInfo(&buf, ", %lld of them half-removed", (long long) nics->half_removed);

	if (!refusal->may_see)
		appendStringInfo(&buf, ". They are not named, because rows of table \"%s\" may be hidden "
						 "from the current role",
						 table);
	else
		appendStringInfo(&buf, ": %s", nics->named);
	if (refusal->may_see && nics->total > HELD_NICS_NAMED)
		appendStringInfo(&buf, " and %lld more", (long long) nics->total - HELD_NICS_NAMED);
	appendStringInfoChar(&buf, '.');
	return buf.data;
}

/*
 * Refuses the removal of a network or instance that has held NICs, or another
 * key for it.
 *
 * table is the name of the table of NICs; hint says how they are removed.
 */
void
refuse_in_use(const ParentRefusal *refusal, bool removal, const HeldNics *nics,
			  const char *table, const char *hint)
{
	const char *noun = refusal->kind->noun;

	ereport(refusal->level,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 removal ?
			 errmsg("cannot remove %s %s: NICs are left on it", noun, refusal->id) :
			 errmsg("cannot change the key of %s %s: NICs are left on it", noun, refusal->id),
			 errdetail_internal("%s", held_nics_detail(refusal, nics, table)),
			 refusal->may_see ? errhint("%s", hint) :
			 errhint("Remove its NICs first, as a role that can see them."),
			 errtableconstraint(refusal->rel, refusal->kind->in_use)));
}

/*
 * Refuses another time of removal for a network or instance that was removed at
 * a time, which may be infinite if it is unknown.
 */
void
refuse_second_removal(const ParentRefusal *refusal, TimestampTz removed)
{
	ereport(refusal->level,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("\"removed\" of %s %s cannot change", refusal->kind->noun, refusal->id),
			 refusal->may_see && !TIMESTAMP_NOT_FINITE(removed) ?
			 errdetail("It was removed at %s.", timestamptz_to_str(removed)) :
			 errdetail("It has been removed."),
			 errhint("A removed %s stays removed. Add a new one instead.", refusal->kind->noun),
			 errtableconstraint(refusal->rel, refusal->kind->removed_once)));
}
