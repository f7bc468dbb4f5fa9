<?php
require __DIR__ . '/worker.php';
require 'GuzzleHttp/autoload.php';

use GuzzleHttp\Client;
use GuzzleHttp\Exception\GuzzleException;
use GuzzleHttp\Psr7\Utils;

function post(Client $client, array $r): array
{
    $options = ['headers' => $r['headers'], 'http_errors' => false, 'timeout' => 30];
    if ($r['expect'] ?? false) {
        $options['expect'] = true;
    }
    switch ($r['how']) {
        case 'length':
            $options['body'] = file_get_contents($r['file']);
            break;
        case 'chunked':
            $options['body'] = Utils::streamFor(pieces($r, 64 << 10));
            break;
        case 'form':
            $options['form_params'] = $r['form'];
            break;
    }
    try {
        $answer = $client->post($r['url'], $options);
        return ['status' => $answer->getStatusCode(), 'body' => (string) $answer->getBody()];
    } catch (GuzzleException $e) {
        return failed($e->getMessage());
    }
}

$package = exec("dpkg-query -W -f '\${Version}' php-guzzlehttp-guzzle 2>/dev/null");
serve("Guzzle $package, PHP " . PHP_VERSION, function (array $all) {
    $client = new Client();
    return array_map(fn ($r) => post($client, $r), $all);
});
