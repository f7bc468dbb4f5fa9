-- wrk -s accepted.lua URL <token> <bytes of body> <keep-alive|close>

function init(args)
	wrk.method = "POST"
	wrk.body = string.rep("x", tonumber(args[2]))
	wrk.headers["Content-Type"] = "application/json"
	wrk.headers["X-Callback-Token"] = args[1]
	if args[3] == "close" then
		wrk.headers["Connection"] = "close"
	end
end

-- One line that the benchmark reads; times are in microseconds.
function done(summary, latency)
	local e = summary.errors
	print(string.format("measured %d %d %d %d %d %d", summary.requests, summary.duration,
		latency:percentile(50), latency:percentile(99),
		e.status, e.connect + e.read + e.write + e.timeout))
end
