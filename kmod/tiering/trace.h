/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints tiering:*. Pages are given by process number and virtual page; `result` is a number
 * of enum tier_stat.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM tiering

#if !defined(TIERING_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TIERING_TRACE_H

#include <linux/tracepoint.h>

/* clang-format off */
TRACE_EVENT(sample,
	TP_PROTO(u16 mm, u64 vpn, u8 order, unsigned int result),
	TP_ARGS(mm, vpn, order, result),
	TP_STRUCT__entry(__field(u64, vpn) __field(unsigned int, result) __field(u16, mm)
			 __field(u8, order)),
	TP_fast_assign(__entry->mm = mm; __entry->vpn = vpn; __entry->order = order;
		       __entry->result = result;),
	TP_printk("mm=%u vpn=%llx order=%u result=%u", __entry->mm, __entry->vpn, __entry->order,
		  __entry->result)
);

TRACE_EVENT(classify,
	TP_PROTO(const char *policy, u64 fast, u64 slow, u64 threshold),
	TP_ARGS(policy, fast, slow, threshold),
	TP_STRUCT__entry(__array(char, policy, 8) __field(u64, fast) __field(u64, slow)
			 __field(u64, threshold)),
	TP_fast_assign(strscpy(__entry->policy, policy, 8); __entry->fast = fast;
		       __entry->slow = slow; __entry->threshold = threshold;),
	TP_printk("policy=%s fast=%llu slow=%llu threshold=%llu", __entry->policy, __entry->fast,
		  __entry->slow, __entry->threshold)
);

DECLARE_EVENT_CLASS(tiering_moved,
	TP_PROTO(u16 mm, u64 vpn, u8 order, u64 pfn),
	TP_ARGS(mm, vpn, order, pfn),
	TP_STRUCT__entry(__field(u64, vpn) __field(u64, pfn) __field(u16, mm) __field(u8, order)),
	TP_fast_assign(__entry->mm = mm; __entry->vpn = vpn; __entry->order = order;
		       __entry->pfn = pfn;),
	TP_printk("mm=%u vpn=%llx order=%u pfn=%llx", __entry->mm, __entry->vpn, __entry->order,
		  __entry->pfn)
);
DEFINE_EVENT(tiering_moved, promote, TP_PROTO(u16 mm, u64 vpn, u8 order, u64 pfn),
	TP_ARGS(mm, vpn, order, pfn));
DEFINE_EVENT(tiering_moved, demote, TP_PROTO(u16 mm, u64 vpn, u8 order, u64 pfn),
	TP_ARGS(mm, vpn, order, pfn));

TRACE_EVENT(exchange,
	TP_PROTO(unsigned int demoted, unsigned int promoted),
	TP_ARGS(demoted, promoted),
	TP_STRUCT__entry(__field(unsigned int, demoted) __field(unsigned int, promoted)),
	TP_fast_assign(__entry->demoted = demoted; __entry->promoted = promoted;),
	TP_printk("demoted=%u promoted=%u", __entry->demoted, __entry->promoted)
);

TRACE_EVENT(fail,
	TP_PROTO(u16 mm, u64 vpn, u8 order, u8 to, unsigned int result),
	TP_ARGS(mm, vpn, order, to, result),
	TP_STRUCT__entry(__field(u64, vpn) __field(unsigned int, result) __field(u16, mm)
			 __field(u8, order) __field(u8, to)),
	TP_fast_assign(__entry->mm = mm; __entry->vpn = vpn; __entry->order = order;
		       __entry->to = to; __entry->result = result;),
	TP_printk("mm=%u vpn=%llx order=%u to=%s result=%u", __entry->mm, __entry->vpn,
		  __entry->order, __entry->to ? "slow" : "fast", __entry->result)
);
/* clang-format on */

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
