-- What wrk sends, by the words after `--`:
--   list FILE keep|close   the paths (and hosts) of the file's lines in turn
--   keys COUNT             one path, header X-User with a key out of COUNT
--   fill COUNT             the same with every key in turn
--   get PATH               GET of one path
-- Prints the exact counts in the end as `counted {json}`.
local kind, list, at, count
function init(words)
  kind, at = words[1], 0
  if kind == "list" then
    list = {}
    if words[3] == "close" then wrk.headers["Connection"] = "close" end
    for line in io.lines(words[2]) do
      local path, host = line:match("^(%S+)%s*(%S*)$")
      if host ~= "" then wrk.headers["Host"] = host end
      list[#list + 1] = wrk.format("GET", path)
    end
    count = #list
  elseif kind == "get" then
    list = { wrk.format("GET", words[2]) }
    count = 1
  else
    count = tonumber(words[2])
    math.randomseed(7)
    local head = wrk.format("GET", "/owa/table")
    list = head:sub(1, #head - 2) .. "X-User: user-"
  end
end
function request()
  if kind == "keys" then return list .. math.random(1, count) .. "\r\n\r\n" end
  at = at % count + 1
  if kind == "fill" then return list .. at .. "\r\n\r\n" end
  return list[at]
end
function done(summary)
  local e = summary.errors
  io.write(string.format('counted {"requests":%d,"bytes":%.0f,"microseconds":%.0f,"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}\n',
    summary.requests, summary.bytes, summary.duration, e.status, e.connect, e.read, e.write, e.timeout))
end
