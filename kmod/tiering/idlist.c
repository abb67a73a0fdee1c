// SPDX-License-Identifier: GPL-2.0
/* Lists of entry numbers; see idlist.h. */
#include "idlist.h"

int idlist_reserve(struct idlist_set *s, u32 n)
{
	struct idlist_link *link;
	u8 *of;
	u32 i;

	if (n <= s->size)
		return 0;
	of = plain_alloc(n, sizeof(*of));
	link = of ? plain_grow(s->link, s->link ? (u64)s->size + IDLIST_MAX : 0,
			       (u64)n + IDLIST_MAX, sizeof(*link))
		  : NULL;
	if (!link) {
		plain_free(of);
		return -ENOMEM;
	}
	if (!s->link) {
		for (i = 0; i < IDLIST_MAX; i++)
			link[i] = (struct idlist_link){i, i};
	}
	if (s->of)
		memcpy(of, s->of, s->size);
	plain_free(s->of);
	s->link = link;
	s->of = of;
	s->size = n;
	return 0;
}

void idlist_free(struct idlist_set *s)
{
	plain_free(s->link);
	plain_free(s->of);
	*s = (struct idlist_set){0};
}

int idlist_of(const struct idlist_set *s, u32 id)
{
	return id < s->size ? s->of[id] - 1 : -1;
}

void idlist_del(struct idlist_set *s, u32 id)
{
	int list = idlist_of(s, id);
	struct idlist_link *l;

	if (list < 0)
		return;
	l = &s->link[id + IDLIST_MAX];
	s->link[l->prev].next = l->next;
	s->link[l->next].prev = l->prev;
	s->of[id] = 0;
	s->n[list]--;
}

int idlist_put(struct idlist_set *s, unsigned int list, u32 id)
{
	struct idlist_link *head = &s->link[list];
	u32 place = id + IDLIST_MAX;

	if (id >= s->size || list >= IDLIST_MAX)
		return -ERANGE;
	idlist_del(s, id);
	s->link[place] = (struct idlist_link){.next = list, .prev = head->prev};
	s->link[head->prev].next = place;
	head->prev = place;
	s->of[id] = list + 1;
	s->n[list]++;
	return 0;
}

u32 idlist_first(const struct idlist_set *s, unsigned int list)
{
	return s->link && s->link[list].next >= IDLIST_MAX ? s->link[list].next - IDLIST_MAX
							   : IDLIST_NONE;
}

u64 idlist_bytes(const struct idlist_set *s)
{
	return s->size * (sizeof(*s->link) + sizeof(*s->of));
}
