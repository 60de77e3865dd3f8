-- Pauses of random length between requests, so that slow ones do not run in step.
local most = tonumber(os.getenv("DELAY_MS") or 0)
if most > 0 then
    function delay()
        return math.random(0, most)
    end
end

-- wrk's final count as one line that a program can read.
function done(summary)
    local e = summary.errors
    io.write(string.format(
        'COUNT {"requests": %d, "duration_us": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d, "status": %d}\n',
        summary.requests, summary.duration, e.connect, e.read, e.write, e.timeout, e.status))
end
