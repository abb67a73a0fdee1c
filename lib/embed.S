// Text files that travel inside the binary: the schema, the probe catalogue and the figures, each NUL-terminated.
	.section .rodata
	.global embed_schema_sql
embed_schema_sql:
	.incbin "schema.sql"
	.byte 0
	.global embed_catalog
embed_catalog:
	.incbin "catalog.txt"
	.byte 0
	.global embed_plots
embed_plots:
	.incbin "plots.txt"
	.byte 0
	.section .note.GNU-stack,"",@progbits
