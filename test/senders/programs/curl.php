<?php
require __DIR__ . '/worker.php';

function post(CurlHandle $curl, array $r): array
{
    curl_reset($curl); // keeps the connection
    $headers = [];
    foreach ($r['headers'] as $name => $value) {
        $headers[] = "$name: $value";
    }
    if ($r['expect'] ?? false) {
        $headers[] = 'Expect: 100-continue';
    }
    $options = [CURLOPT_URL => $r['url'], CURLOPT_POST => true, CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 30];
    switch ($r['how']) {
        case 'length':
            $options[CURLOPT_POSTFIELDS] = file_get_contents($r['file']);
            break;
        case 'chunked':
            $headers[] = 'Transfer-Encoding: chunked';
            $pieces = pieces($r, 16 << 10); // curl takes no more at once
            $options[CURLOPT_READFUNCTION] = function () use ($pieces) {
                $piece = $pieces->valid() ? $pieces->current() : '';
                $pieces->next();
                return $piece;
            };
            break;
        case 'form':
            $options[CURLOPT_POSTFIELDS] = http_build_query($r['form']);
            break;
        default:
            $options[CURLOPT_POSTFIELDS] = '';
    }
    curl_setopt_array($curl, $options + [CURLOPT_HTTPHEADER => $headers]);
    $body = curl_exec($curl);
    if ($body === false) {
        return failed(curl_error($curl));
    }
    return ['status' => curl_getinfo($curl, CURLINFO_RESPONSE_CODE), 'body' => $body];
}

serve('PHP ' . PHP_VERSION . ', libcurl ' . curl_version()['version'], function (array $all) {
    $curl = curl_init();
    return array_map(fn ($r) => post($curl, $r), $all);
});
