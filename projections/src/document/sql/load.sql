select id, version, first_position, position, created_at, updated_at, doc
from document_table
where id = any($1)
