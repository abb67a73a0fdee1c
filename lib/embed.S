// Text files that travel inside the binary: the schema and the probe catalogue, each NUL-terminated.
	.section .rodata
	.global embed_schema_sql
embed_schema_sql:
	.incbin "schema.sql"
	.byte 0
	.global embed_catalog
embed_catalog:
	.incbin "catalog.txt"
	.byte 0
	.section .note.GNU-stack,"",@progbits
