<?php
// What the PHP programs have in common.

/** Yields the body as it becomes known. */
function pieces(array $r, int $size): Generator
{
    $file = fopen($r['file'], 'rb');
    while (($piece = fread($file, $size)) !== '' && $piece !== false) {
        yield $piece;
        usleep((int) (1000 * ($r['pause'] ?? 0) * $size / (64 << 10)));
    }
    fclose($file);
}

function failed(string $error): array
{
    return ['status' => 0, 'body' => '', 'error' => $error];
}

/** Answers every line; $start makes its requests with one client. */
function serve(string $version, callable $start): void
{
    echo json_encode(['version' => $version]), "\n";
    while (($line = fgets(STDIN)) !== false) {
        $answers = $start(json_decode($line, true)['requests']);
        echo json_encode(['answers' => $answers]), "\n";
    }
}
