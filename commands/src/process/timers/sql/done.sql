-- Two changes of one statement: either way a row is changed once.
with fired as (
    select * from unnest($2::uuid[], $3::timestamptz[]) as f (timer_id, again)
), put_off as (
    update process_timer as t
    set due_at = f.again
    from fired as f
    where t.log_id = $1 and t.timer_id = f.timer_id and f.again is not null
)
delete from process_timer as t
using fired as f
where t.log_id = $1 and t.timer_id = f.timer_id and f.again is null
