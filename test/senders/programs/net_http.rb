require 'json'
require 'net/http'

# Body is read as it becomes known.
class Body
  def initialize(request)
    @file = File.open(request['file'], 'rb')
    @pause = request.fetch('pause', 0) / 1000.0
  end

  def readpartial(_size, buffer = nil)
    piece = @file.readpartial(64 << 10)
    sleep @pause
    buffer ? buffer.replace(piece) : piece
  end
end

def post(http, r)
  post = Net::HTTP::Post.new(URI(r['url']), r['headers'])
  case r['how']
  when 'length' then post.body = File.binread(r['file'])
  when 'form' then post.set_form_data(r['form'])
  when 'chunked'
    post['Transfer-Encoding'] = 'chunked'
    post.body_stream = Body.new(r)
  end
  if r['expect']
    post['Expect'] = '100-continue'
    http.continue_timeout = 10
  end
  answer = http.request(post)
  { status: answer.code.to_i, body: answer.body }
rescue SystemCallError, IOError, Timeout::Error, Net::HTTPBadResponse => e
  { status: 0, body: '', error: e.inspect }
end

$stdout.sync = true
puts({ version: "Net::HTTP of Ruby #{RUBY_VERSION}" }.to_json)
$stdin.each_line do |line|
  answers = []
  requests = JSON.parse(line)['requests']
  # One Net::HTTP has one host and port, as all requests of a line have.
  uri = URI(requests.first['url'])
  Net::HTTP.start(uri.host, uri.port) do |http|
    requests.each { |r| answers << post(http, r) }
  end
  puts({ answers: answers }.to_json)
end
