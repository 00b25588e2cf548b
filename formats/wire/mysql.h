/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MySQL and MariaDB: what mysql.c (packets of a session) and mysql_login.c (its opening, and how
 * to tell the protocol by its first bytes) share.
 */
#ifndef FR_WIRE_MYSQL_H
#define FR_WIRE_MYSQL_H

#include "wire.h"

#define FR_MYSQL_HEAD_BYTES 4
#define FR_MYSQL_BODY_BYTES_MAX 0xffffffu /* of a packet; the next one then goes on with it */
#define FR_MYSQL_STATEMENTS_MAX 64
#define FR_MYSQL_NAME_BYTES 64

enum fr_mysql_kind {
	FR_MYSQL_QUERY = 1, /* a query, or a prepared statement's execution */
	FR_MYSQL_PREPARE = 2,
	FR_MYSQL_OTHER = 4,
	FR_MYSQL_LOGIN = 8,
	FR_MYSQL_ANY = 15,
};

enum fr_mysql_login { FR_MYSQL_LOGIN_NONE, FR_MYSQL_GREETED, FR_MYSQL_ANSWERED };

/* Does a result's list of columns end with an EOF packet? Agreed on at login, else learnt. */
enum fr_mysql_eof { FR_MYSQL_EOF_UNKNOWN, FR_MYSQL_EOF_USED, FR_MYSQL_EOF_DEPRECATED };

struct fr_mysql_statement {
	uint64_t key; /* of its text; 0 = not known */
	uint32_t id;  /* 0 = free */
	uint32_t reserved_zero;
};

struct fr_mysql_state {
	uint32_t columns_left; /* definitions that are yet to come */
	uint32_t params_left;
	uint32_t capabilities;	/* of the client; 0 = login not seen */
	uint8_t phase;		/* of the reply in hand: enum phase of mysql.c */
	uint8_t reply_open;	/* something of it has come */
	uint8_t reply_was_open; /* before the packet in hand */
	uint8_t reply_seq;	/* number of the first packet that answers the command in hand */
	uint8_t next_seq[2];	/* by role: of the packet that goes on */
	uint8_t more[2];	/* by role: the next packet goes on with the one before */
	uint8_t eof;		/* enum fr_mysql_eof */
	uint8_t eof_due;	/* a list has ended: the next packet may be its EOF */
	uint8_t eof_stray;	/* a reply has ended with a list: the next packet may be its EOF */
	uint8_t login;		/* enum fr_mysql_login */
	uint8_t infile;		/* the client sends a file that the server asked for */
	uint8_t user_bytes;
	uint8_t database_bytes;
	uint8_t statement_next; /* to be replaced next */
	uint64_t last_key;	/* text of the statement that was prepared last */
	struct fr_mysql_statement statements[FR_MYSQL_STATEMENTS_MAX];
	char user[FR_MYSQL_NAME_BYTES];
	char database[FR_MYSQL_NAME_BYTES];
};

_Static_assert(sizeof(struct fr_mysql_state) <= FR_WIRE_STATE_BYTES, "state does not fit");

/* A packet as far as its bytes go. */
struct fr_mysql_packet {
	uint32_t body_bytes;
	uint8_t seq;
	bool cut; /* body is shorter than body_bytes */
	struct fr_slice body;
};

/* Capabilities that change what is on the wire. */
#define FR_MYSQL_CAN_DB 0x8u
#define FR_MYSQL_CAN_COMPRESS 0x20u
#define FR_MYSQL_CAN_41 0x200u
#define FR_MYSQL_CAN_TLS 0x800u
#define FR_MYSQL_CAN_SECURE 0x8000u
#define FR_MYSQL_CAN_LENENC_AUTH 0x200000u
#define FR_MYSQL_CAN_NO_EOF 0x1000000u
#define FR_MYSQL_CAN_ZSTD 0x4000000u

static inline uint32_t fr_mysql_le(const uint8_t *p, unsigned bytes)
{
	uint32_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

/* Reads a packet's head and what is there of its body: MORE or UNIT. */
enum fr_wire_verdict fr_mysql_read(struct fr_slice bytes, struct fr_mysql_packet *ret);
/* A number that is as long as its first byte says: UNIT, MORE, or LOST if it is none. */
enum fr_wire_verdict fr_mysql_take_number(struct fr_slice *rest, uint64_t *ret_number);
/* Is there such a command, and may its packet be so long? */
bool fr_mysql_command_fits(const struct fr_mysql_packet *m);
/* Where in a query's packet its text begins; 0 = further than what is there, or no text. */
size_t fr_mysql_text_at(const struct fr_mysql_packet *m);

bool fr_mysql_is_greeting(const struct fr_mysql_packet *m);
bool fr_mysql_is_login(const struct fr_mysql_packet *m);
/* The client's answer to the greeting: names, capabilities. RAW when TLS follows. */
void fr_mysql_on_login(struct fr_mysql_state *st, const struct fr_mysql_packet *m,
		       struct fr_wire_unit *u);
void fr_mysql_on_change_user(struct fr_mysql_state *st, const struct fr_mysql_packet *m);
void fr_mysql_set_database(struct fr_mysql_state *st, struct fr_slice name);
int fr_mysql_detect(struct fr_slice request, struct fr_slice response);

#endif
