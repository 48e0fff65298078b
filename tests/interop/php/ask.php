<?php
/**
 * Asks by PHP's own SoapClient over mtls, one line of tasks after the other, as interop.Ask does over wsse:
 * NAME URL CERTIFICATE KEY AGREEMENT PURPOSE PIN NUMBER DOCUMENT KIND SEALING-KEY ATTRIBUTES CA WSDL SOAP.
 * SoapClient signs no messages, so WS-Security is not for it.
 */
declare(strict_types=1);

function ask(array $task): string
{
    [, $url, $certificate, $key, $agreement, $purpose, $pin, $number, $document, $kind, , $attributes, $ca, $wsdl, $version] = $task;
    $client = new SoapClient($wsdl, [
        'location' => $url,
        'soap_version' => $version === '1.2' ? SOAP_1_2 : SOAP_1_1,
        'cache_wsdl' => WSDL_CACHE_NONE,
        'exceptions' => true,
        'stream_context' => stream_context_create(['ssl' => [
            'local_cert' => $certificate, 'local_pk' => $key, 'cafile' => $ca, 'verify_peer' => true,
        ]]),
    ]);
    $uuid = vsprintf('%s%s-%s-4%.3s-8%.3s-%s%s%s', str_split(bin2hex(random_bytes(16)), 4));
    try {
        $answer = $client->GetPersonData([
            'requestId' => $uuid,
            'agreementNumber' => $agreement,
            'employee' => 'interop',
            'purpose' => $purpose,
            'probe' => ['demographic' => ['pin' => $pin, 'documentNumber' => $number]],
            'ground' => [$kind === 'CONSENT' ? 'consentDocument' : 'basisDocument' => file_get_contents($document)],
            'requestedAttributes' => ['attribute' => explode(' ', $attributes)],
        ]);
    } catch (SoapFault $fault) {
        $reasons = one_or_more($fault->detail->Fault->reason ?? []);
        return "FAULT\t" . implode(' ', array_map(fn ($each) => "$each->code " . ($each->field ?? ''), $reasons)) . "\t";
    }
    $codes = implode(' ', array_map(fn ($each) => $each->code, one_or_more($answer->reason ?? [])));
    return "$answer->outcome\t$codes\t" . ($answer->person->surname->latin ?? '');
}

/** SoapClient gives one repeated element alone, several as an array. */
function one_or_more(mixed $value): array
{
    return is_array($value) ? $value : [$value];
}

foreach (file($argv[1], FILE_IGNORE_NEW_LINES) as $line) {
    $task = explode("\t", $line);
    echo $task[0], "\t", ask($task), "\n";
}
