/*
 * payload.h
 *		What was observed, as text: the error for what cannot be read.
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

/* The constraint name of the error for a payload that is not of its format. */
#define OBSERVATION_MALFORMED	"observation_malformed"

#endif							/* PAYLOAD_H */
