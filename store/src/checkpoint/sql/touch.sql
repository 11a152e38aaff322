update projection_checkpoint
set updated_at = clock_timestamp()
where log_id = $1 and name = $2 and owner_epoch = $3
