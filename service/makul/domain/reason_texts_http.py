"""What is expected of an HTTP request, for each part of it that a reason can name in `field`.

`reason_texts` adds these sentences to the text of the code. They state limits and media types, and
no value of a request.
"""

from makul.domain.reasons import Code

HTTP_EXPECTATIONS = {
    Code.REQ_01: """
Content-Length
  ky Билдирүү толук келген жок: анын узундугу Content-Length көрсөткөндөй болууга тийиш.
  ru Сообщение пришло не полностью: его длина должна быть такой, как указано в Content-Length.
  en The message did not arrive whole: it must be as long as Content-Length says.
Transfer-Encoding
  ky Билдирүү толук келген жок: бөлүктөрү (chunked) RFC 9112 боюнча аягына чейин жөнөтүлүшү керек.
  ru Сообщение пришло не полностью: его части (chunked) должны быть отправлены по RFC 9112 до конца.
  en The message did not arrive whole: its chunks must follow RFC 9112 and have their end.
Envelope
  ky POST суроо-талабынын денеси SOAP Envelope болууга тийиш.
  ru Телом запроса POST должен быть SOAP Envelope.
  en The body of the POST must be a SOAP Envelope.
method
  ky Бул даректе POST менен SOAP билдирүүсү, GET менен ?wsdl же ?xsd кабыл алынат.
  ru По этому адресу принимается сообщение SOAP методом POST, а методом GET — ?wsdl или ?xsd.
  en This address takes a SOAP message by POST, and ?wsdl or ?xsd by GET.
""",
    Code.REQ_02: """
address
  ky Бул даректе эч нерсе жок. Сервистин дарегин WSDL көрсөтөт.
  ru По этому адресу ничего нет. Адрес сервиса указан в WSDL.
  en There is nothing at this address. The WSDL gives the address of the service.
""",
    Code.REQ_07: """
Content-Type
  ky Content-Type text/xml (SOAP 1.1) же application/soap+xml (SOAP 1.2) болуп, билдирүү UTF-8
     коддоосунда, multipart бөлүктөрсүз болууга тийиш.
  ru Content-Type должен быть text/xml (SOAP 1.1) или application/soap+xml (SOAP 1.2), а сообщение —
     в кодировке UTF-8 и без частей multipart.
  en Content-Type must be text/xml (SOAP 1.1) or application/soap+xml (SOAP 1.2), and the message
     must be in UTF-8 and without multipart attachments.
Content-Encoding
  ky Билдирүү кысылбай, Content-Encoding жок жөнөтүлүүгө тийиш.
  ru Сообщение должно быть отправлено без сжатия, без Content-Encoding.
  en The message must be sent without compression and without Content-Encoding.
Content-Length
  ky Content-Length — бир сан; билдирүү 4 MiB дан, RegisterConsent 16 MiB дан чоң болбоого тийиш.
  ru Content-Length — одно число; сообщение должно быть не больше 4 MiB, RegisterConsent — 16 MiB.
  en Content-Length must be one number; a message may have 4 MiB, and RegisterConsent 16 MiB.
Transfer-Encoding
  ky Content-Length же Transfer-Encoding: chunked гана берилүүгө тийиш, экөө бирге эмес.
  ru Должен быть указан либо Content-Length, либо Transfer-Encoding: chunked, но не оба сразу.
  en Either Content-Length or Transfer-Encoding: chunked must be given, and not both.
DOCTYPE
  ky Билдирүүдө документ түрүнүн жарыясы (DOCTYPE, ENTITY) болбоого тийиш.
  ru В сообщении не должно быть объявления типа документа (DOCTYPE, ENTITY).
  en The message must not declare a document type (DOCTYPE, ENTITY).
""",
}
