/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which chunks there are. Headers are followed from one to the next; where there is no sound one,
 * the next is looked for at 8-byte steps. No byte is searched twice, so the work is linear in the
 * size of the file whatever it claims.
 */
#include <errno.h>
#include <stdlib.h>

#include "reader_internal.h"

#define SCAN_BYTES (64u << 10)
#define BAD_BLOCK_BYTES 4096u /* passed over where the disk cannot be read */
#define SALT_TRIES 64
#define NO_CHUNK UINT64_MAX

struct walk {
	struct fr_dump *d;
	uint8_t *window;   /* SCAN_BYTES */
	uint64_t searched; /* up to here no further chunk starts */
	uint64_t salt;
	bool any_salt; /* looking for a salt: the checksum of the header says nothing yet */
};

static bool header_at(const struct fr_dump *d, uint64_t off, struct fr_chunk_header *ret)
{
	return off + sizeof(*ret) <= d->file_bytes &&
	       fr_dump_read_at(d, ret, sizeof(*ret), off) == sizeof(*ret);
}

static bool sound(const struct walk *w, const struct fr_chunk_header *h)
{
	if (w->any_salt ? h->magic != FR_CHUNK_MAGIC : !fr_chunk_sealed(h, w->salt))
		return false;
	return !fr_chunk_unsound(h);
}

/* True: a sound header lies at *at of the n bytes in the window. Else *at is where the search must
 * go on: a header may begin in the last bytes. */
static bool search_window(const struct walk *w, size_t n, size_t *at)
{
	struct fr_chunk_header h;

	for (*at = 0; *at + sizeof(h) <= n; *at += 8) {
		if (fr_load32(w->window + *at) != FR_CHUNK_MAGIC)
			continue;
		memcpy(&h, w->window + *at, sizeof(h));
		if (sound(w, &h))
			return true;
	}
	return false;
}

/* Offset of the first sound chunk header at or behind `from`, or NO_CHUNK. */
static uint64_t next_sound(struct walk *w, uint64_t from)
{
	uint64_t off = from > w->searched ? from : w->searched;
	struct fr_dump *d = w->d;
	size_t want, at;
	ssize_t n;

	while (off + sizeof(struct fr_chunk_header) <= d->file_bytes) {
		want = d->file_bytes - off < SCAN_BYTES ? (size_t)(d->file_bytes - off)
							: SCAN_BYTES;
		n = fr_dump_read_at(d, w->window, want, off);
		if (n < (ssize_t)sizeof(struct fr_chunk_header)) {
			if (n < 0)
				fr_dump_note_damage(d, off, "cannot be read: %s",
						    strerror((int)-n));
			off = (off / BAD_BLOCK_BYTES + 1) * BAD_BLOCK_BYTES;
			continue;
		}
		if (search_window(w, (size_t)n, &at)) {
			w->searched = off + at;
			return off + at;
		}
		off += at;
	}
	w->searched = d->file_bytes;
	return NO_CHUNK;
}

/* ---- the salt ------------------------------------------------------------------------------- */

static bool contents_whole(struct fr_dump *d, uint64_t off, const struct fr_chunk_header *h)
{
	uint8_t *stored = malloc(FR_CHUNK_STORED_MAX);
	bool whole;

	whole = stored &&
		fr_dump_read_at(d, stored, h->stored_bytes, off + sizeof(*h)) ==
			(ssize_t)h->stored_bytes &&
		fr_bytes_checksum(stored, h->stored_bytes) == h->stored_checksum;
	free(stored);
	return whole;
}

bool fr_dump_find_salt(struct fr_dump *d)
{
	struct walk w = { .d = d, .window = malloc(SCAN_BYTES), .any_salt = true };
	struct fr_chunk_header h;
	uint64_t off = sizeof(d->header);
	bool found = false;

	for (int i = 0; w.window && i < SALT_TRIES && !found; i++) {
		off = next_sound(&w, off);
		if (off == NO_CHUNK)
			break;
		found = header_at(d, off, &h) && contents_whole(d, off, &h);
		off += 8;
	}
	free(w.window);
	if (found)
		d->salt = fr_chunk_salt_of(&h);
	else
		fr_dump_note_damage(d, 0, "no sound chunk was found");
	return found;
}

/* ---- the walk ------------------------------------------------------------------------------- */

static int add_entry(struct fr_dump *d, uint64_t off, const struct fr_chunk_header *h)
{
	struct fr_dump_entry *more;
	size_t cap;

	if (d->entry_cnt == d->entry_cap) {
		cap = d->entry_cap ? 2 * d->entry_cap : 64;
		more = reallocarray(d->entries, cap, sizeof(*more));
		if (!more)
			return -ENOMEM;
		d->entries = more;
		d->entry_cap = cap;
	}
	d->entries[d->entry_cnt++] = (struct fr_dump_entry){
		.off = off,
		.type = h->type,
		.cpu = h->cpu,
		.codec = h->codec,
		.transform = h->transform,
		.number = h->number,
		.raw_bytes = h->raw_bytes,
		.stored_bytes = h->stored_bytes,
		.records = h->records,
		.segments = h->segments,
		.first_time_ns = h->first_time_ns,
		.last_time_ns = h->last_time_ns,
	};
	d->unknown_chunks += !fr_chunk_type_known(h->type);
	return 0;
}

/* A chunk whose contents cannot be whole. */
static void spoil(struct fr_dump_entry *e)
{
	e->bad = true;
	e->err = -EBADMSG;
}

static uint64_t end_of(const struct fr_dump_entry *e)
{
	return e->off + FR_CHUNK_BYTES(e->stored_bytes);
}

/* Takes the chunk at off and returns where the next one should be; NO_CHUNK when the file ends. */
static uint64_t step_over(struct walk *w, uint64_t off)
{
	struct fr_dump *d = w->d;
	struct fr_dump_entry *e = &d->entries[d->entry_cnt - 1], *before = e - 1;
	uint64_t contents_end = off + sizeof(struct fr_chunk_header) + e->stored_bytes;
	char label[48];

	fr_dump_chunk_label(e, label, sizeof(label));
	if (d->entry_cnt > 1 && end_of(before) == off && e->number != before->number + 1)
		fr_dump_note_damage(d, off,
				    "chunk %u follows chunk %u: what was between is missing",
				    e->number, before->number);
	if (contents_end > d->file_bytes) {
		spoil(e);
		fr_dump_note_damage(d, off, "%s is cut: %llu of its %u stored bytes are missing",
				    label, (unsigned long long)(contents_end - d->file_bytes),
				    e->stored_bytes);
		return next_sound(w, off + sizeof(struct fr_chunk_header));
	}
	if (end_of(e) > d->file_bytes)
		fr_dump_note_damage(d, d->file_bytes, "the file ends in the padding of %s", label);
	return end_of(e);
}

/*
 * There is no sound header at off. The search starts inside the chunk before: when bytes were lost
 * there, the next header lies earlier than it should. (It can't be taken from captured payload: the
 * checksum is salted.)
 */
static uint64_t step_past_damage(struct walk *w, uint64_t off, uint64_t start)
{
	struct fr_dump *d = w->d;
	struct fr_dump_entry *last = d->entry_cnt ? &d->entries[d->entry_cnt - 1] : NULL;
	uint64_t next;
	char label[48];

	next = next_sound(w, last ? last->off + sizeof(struct fr_chunk_header) : start);
	if (next < off && last) {
		if (!last->bad)
			fr_dump_note_damage(d, last->off, "%s runs into the chunk behind it",
					    fr_dump_chunk_label(last, label, sizeof(label)));
		spoil(last);
	} else {
		fr_dump_note_damage(
			d, off, "%llu bytes that are no sound chunk",
			(unsigned long long)((next == NO_CHUNK ? d->file_bytes : next) - off));
	}
	return next;
}

static int walk_chunks(struct walk *w, uint64_t start)
{
	struct fr_dump *d = w->d;
	struct fr_chunk_header h;
	uint64_t off = start;

	while (off < d->file_bytes && d->file_bytes - off >= sizeof(h)) {
		bool read = header_at(d, off, &h);

		if (!read || !sound(w, &h)) {
			if (read && fr_chunk_sealed(&h, w->salt))
				fr_dump_note_damage(d, off, "chunk %u %s", h.number,
						    fr_chunk_unsound(&h));
			off = step_past_damage(w, off, start);
			continue;
		}
		if (d->entry_cnt == FR_CHUNKS_MAX) {
			fr_dump_note_damage(d, off, "more than %u chunks: the rest is not read",
					    FR_CHUNKS_MAX);
			return 0;
		}
		if (add_entry(d, off, &h) < 0)
			return -ENOMEM;
		off = step_over(w, off);
	}
	if (off < d->file_bytes)
		fr_dump_note_damage(d, off, "%llu bytes behind the last chunk",
				    (unsigned long long)(d->file_bytes - off));
	return 0;
}

int fr_dump_walk(struct fr_dump *d, uint64_t start)
{
	struct walk w = { .d = d, .window = malloc(SCAN_BYTES), .salt = d->salt };
	int err = w.window ? walk_chunks(&w, start) : -ENOMEM;

	free(w.window);
	return err;
}
