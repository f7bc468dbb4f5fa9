#!/usr/bin/env escript
%% -*- erlang -*-
-mode(compile).

%% Longer than any answer takes.
-define(LIMIT, 12000).

main(_) ->
    ok = logger:remove_handler(default), % it writes to the standard output
    {ok, _} = application:ensure_all_started(inets),
    {ok, _} = application:ensure_all_started(jiffy),
    ok = io:setopts(standard_io, [binary, {encoding, latin1}]),
    {ok, Version} = application:get_key(inets, vsn),
    Release = erlang:system_info(otp_release),
    say(#{version => list_to_binary(["httpc of inets ", Version, ", OTP ", Release])}),
    serve(1).

say(Term) -> ok = file:write(standard_io, [jiffy:encode(Term), $\n]).

%% Every line has a profile of its own, which is a client.
serve(N) ->
    case file:read_line(standard_io) of
        eof -> ok;
        {ok, Line} ->
            #{<<"requests">> := All} = jiffy:decode(Line, [return_maps]),
            Profile = list_to_atom("line" ++ integer_to_list(N)),
            {ok, _} = inets:start(httpc, [{profile, Profile}]),
            say(#{answers => [post(R, Profile) || R <- All]}),
            ok = inets:stop(httpc, Profile),
            serve(N + 1)
    end.

post(#{<<"url">> := Url, <<"headers">> := Headers} = R, Profile) ->
    {Type, Body} = content(R),
    Expect = [{"Expect", "100-continue"} || maps:get(<<"expect">>, R, false)],
    Fields = Expect ++ [{binary_to_list(Name), binary_to_list(Value)}
              || {Name, Value} <- maps:to_list(Headers), Name =/= <<"Content-Type">>],
    Request = {binary_to_list(Url), Fields, Type, Body},
    {ok, Id} = httpc:request(post, Request, [], [{sync, false}, {body_format, binary}], Profile),
    receive
        {http, {Id, {{_, Status, _}, _, Text}}} -> #{status => Status, body => Text};
        {http, {Id, {error, Reason}}} ->
            #{status => 0, body => <<>>, error => iolist_to_binary(io_lib:format("~0p", [Reason]))}
    after ?LIMIT ->
        %% After 503 with Retry-After httpc asks again by itself, without end, and tells
        %% nobody. Even this cancels it only.
        ok = httpc:cancel_request(Id, Profile),
        #{status => 0, body => <<>>, error => <<"asks again">>}
    end.

content(#{<<"how">> := <<"form">>, <<"form">> := Form}) ->
    {"application/x-www-form-urlencoded", uri_string:compose_query(maps:to_list(Form))};
content(#{<<"how">> := <<"empty">>}) ->
    {"application/json", <<>>};
content(#{<<"how">> := <<"length">>, <<"file">> := File} = R) ->
    {ok, Bytes} = file:read_file(File),
    {type(R), Bytes};
content(#{<<"how">> := <<"chunked">>, <<"file">> := File} = R) ->
    {ok, Handle} = file:open(File, [read, binary]),
    Next = fun(H) ->
        timer:sleep(maps:get(<<"pause">>, R, 0)),
        case file:read(H, 64 bsl 10) of
            {ok, Piece} -> {ok, Piece, H};
            eof -> ok = file:close(H), eof
        end
    end,
    {type(R), {chunkify, Next, Handle}}.

type(#{<<"headers">> := #{<<"Content-Type">> := Type}}) -> binary_to_list(Type).
