-- For wrk: prints its figures as JSON. With PACE_MS in the environment each
-- connection waits between its requests, that long on average, at random: the
-- load is then given by the number of connections.
local pace = tonumber(os.getenv("PACE_MS"))

if pace then
    function delay()
        return -pace * math.log(1 - math.random())
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        'json {"requests":%d,"us":%d,"connect":%d,"read":%d,"write":%d,"status":%d,' ..
        '"timeout":%d,"p50":%d,"p99":%d}\n',
        summary.requests, summary.duration, errors.connect, errors.read, errors.write,
        errors.status, errors.timeout, latency:percentile(50), latency:percentile(99)))
end
