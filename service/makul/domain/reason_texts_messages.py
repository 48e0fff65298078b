"""Texts of the reasons about messages, signatures, recipients, agreements and the service.

`reason_texts` reads them.
"""

MESSAGE_TEXTS = """
REQ-01
  ky Суроо-талап сервистин сүрөттөмөсүнө туура келбейт.
     Көрсөтүлгөн талааны оңдоп, жаңы номер менен кайра жөнөтүңүз.
  ru Запрос не соответствует описанию сервиса.
     Исправьте указанное поле и отправьте запрос под новым номером.
  en The request does not follow the description of the service.
     Correct the field named and send the request under a new id.
REQ-02
  ky Сервистин мындай версиясы колдоого алынбайт. Колдонуудагы версия боюнча суроо-талап жөнөтүңүз.
  ru Такая версия сервиса не поддерживается. Отправьте запрос по действующей версии.
  en This version of the service is not supported. Send the request in a current version.
REQ-03
  ky Суроо-талаптын убактысы эскирген же келечекте көрсөтүлгөн.
     Системаңыздын саатын тууралап, жаңы суроо-талап жөнөтүңүз.
  ru Время запроса устарело или указано в будущем.
     Проверьте часы вашей системы и отправьте новый запрос.
  en The time of the request is too old or in the future.
     Check your system's clock and send a new request.
REQ-04
  ky Бул номер менен мазмуну башка суроо-талап мурда жөнөтүлгөн.
     Ар бир жаңы суроо-талапка жаңы номер бериңиз.
  ru Под этим номером ранее направлен запрос с другим содержанием.
     Присваивайте каждому новому запросу новый номер.
  en A request with other content was sent before under this id. Give every new request a new id.
REQ-05
  ky Бул суроо-талап азыр иштелип жатат. Бир аз күтүп, ошол эле номер менен кайталаңыз.
  ru Этот запрос ещё обрабатывается. Подождите и повторите его под тем же номером.
  en This request is still being processed. Wait a little and repeat it under the same id.
REQ-06
  ky Суроо-талаптар уруксат берилгенден көп жөнөтүлдү.
     Көрсөтүлгөн убакыттан кийин ошол эле номер менен кайталаңыз.
  ru Запросы направляются чаще, чем разрешено.
     Повторите запрос под тем же номером по истечении указанного времени.
  en Requests are being sent more often than allowed.
     Repeat under the same id after the time stated.
REQ-07
  ky Билдирүү өтө чоң же анда тыюу салынган XML бөлүктөрү бар.
     Билдирүүнү оңдоп, жаңы номер менен жөнөтүңүз.
  ru Сообщение слишком велико или содержит запрещённые части XML.
     Исправьте сообщение и отправьте его под новым номером.
  en The message is too large or contains forbidden XML.
     Correct the message and send it under a new id.
REQ-08
  ky Бул байланыш каналы алуучунун макулдашуусунда каралган эмес.
     Макулдашууда көрсөтүлгөн канал аркылуу кайрылыңыз.
  ru Этот канал связи не предусмотрен соглашением получателя.
     Обратитесь через канал, указанный в соглашении.
  en This channel is not provided for in the recipient's agreement.
     Use a channel that the agreement names.
REQ-09
  ky Дал ушул колтамга коюлган билдирүү мурда кабыл алынган.
     Кайталоо керек болсо, билдирүүгө кайрадан колтамга коюңуз.
  ru Это же подписанное сообщение уже было принято. Если нужен повтор, подпишите сообщение заново.
  en This very signed message was received before. If you need to repeat it, sign the message anew.
SIG-01
  ky Электрондук колтамга жок. Электрондук колтамга коюп, кайра жөнөтүңүз.
  ru Электронная подпись отсутствует. Подпишите и отправьте повторно.
  en There is no electronic signature. Sign and send again.
SIG-02
  ky Электрондук колтамга туура эмес: мазмуну колтамга коюлгандан кийин өзгөргөн болушу мүмкүн.
     Кайрадан колтамга коюп жөнөтүңүз.
  ru Электронная подпись неверна: содержание могло измениться после подписания.
     Подпишите заново и отправьте.
  en The electronic signature is wrong: the content may have changed after signing.
     Sign anew and send.
SIG-03
  ky Электрондук колтамга керектүү бөлүктөрдүн баарын камтыбайт.
     Талап кылынган бөлүктөрдүн баарына колтамга коюп, кайра жөнөтүңүз.
  ru Электронная подпись охватывает не те части.
     Подпишите все требуемые части и отправьте повторно.
  en The electronic signature does not cover the right parts.
     Sign all the parts required and send again.
SIG-04
  ky Электрондук колтамгада алсыз же уруксат берилбеген алгоритм колдонулган.
     Уруксат берилген алгоритм менен кайра колтамга коюңуз.
  ru В электронной подписи применён слабый или неразрешённый алгоритм.
     Подпишите заново разрешённым алгоритмом.
  en The electronic signature uses a weak or disallowed algorithm.
     Sign anew with an allowed algorithm.
SIG-05
  ky Колтамга сертификаты колдонуу мөөнөтүнөн тышкары.
     Колдонуудагы сертификат менен кайра колтамга коюңуз.
  ru Сертификат подписи использован вне срока его действия.
     Подпишите заново действующим сертификатом.
  en The signing certificate was used outside its term. Sign anew with a valid certificate.
SIG-06
  ky Колтамга сертификаты кайтарылып алынган, аны менен коюлган колтамга кабыл алынбайт.
     Күчүндөгү сертификатты колдонуңуз.
  ru Сертификат подписи отозван, подпись этим сертификатом не принимается.
     Используйте действующий сертификат.
  en The signing certificate is revoked, and a signature made with it is not accepted.
     Use a valid certificate.
SIG-07
  ky Сертификаттын кайтарылып алынганы же алынбаганы азыр текшерилген жок.
     Кийинчерээк ошол эле номер менен кайталаңыз.
  ru Сейчас не удалось проверить, не отозван ли сертификат. Повторите позже под тем же номером.
  en Whether the certificate is revoked could not be checked now. Repeat later under the same id.
SIG-08
  ky Колтамга койгон адам бул документке же билдирүүгө колтамга коюуга тийиш болгон тарап эмес.
     Тийиштүү тараптын колтамгасын алыңыз.
  ru Подписавший не является той стороной, которая должна была подписать.
     Получите подпись надлежащей стороны.
  en The signer is not the party that has to sign. Obtain the signature of the right party.
SIG-09
  ky Колтамга сертификаты ишенимдүү күбөлөндүрүүчү борборго алып барбайт.
     Таанылган күбөлөндүрүүчү борбордун сертификаты менен колтамга коюңуз.
  ru Сертификат подписи не восходит к доверенному удостоверяющему центру.
     Подпишите сертификатом признанного удостоверяющего центра.
  en The signing certificate does not lead to a trusted certification centre.
     Sign with a certificate of a recognised centre.
SIG-10
  ky Бул сертификат электрондук колтамга коюу үчүн берилген эмес.
     Колтамга коюуга арналган сертификатты колдонуңуз.
  ru Этот сертификат выдан не для электронной подписи.
     Используйте сертификат, предназначенный для подписания.
  en This certificate was not issued for signing. Use a certificate meant for signing.
RCP-01
  ky Сурап жаткан уюм алуучу катары катталган эмес. Алуучу болуу үчүн иштеп чыгуучуга кайрылыңыз.
  ru Запрашивающая организация не зарегистрирована как получатель.
     Чтобы стать получателем, обратитесь к оператору.
  en The asking organisation is not registered as a recipient. Apply to the operator to become one.
RCP-02
  ky Бул алуучуга маалымат берүү убактылуу токтотулган.
     Уюмуңуздун жооптуу адамы иштеп чыгуучу менен байланышсын.
  ru Предоставление данных этому получателю приостановлено.
     Ответственному лицу вашей организации следует связаться с оператором.
  en Giving data to this recipient is suspended.
     The responsible person of your organisation should contact the operator.
RCP-03
  ky Ыйгарым укуктуу орган бул алуучуга маалымат берүүнү толугу менен токтоткон.
     Уюмуңуздун жетекчилиги ыйгарым укуктуу органга кайрылсын.
  ru Уполномоченный орган полностью прекратил предоставление данных этому получателю.
     Руководству вашей организации следует обратиться в уполномоченный орган.
  en The authorised body has completely stopped giving data to this recipient.
     Your management should turn to the authorised body.
RCP-04
  ky Алуучунун сертификатынын мөөнөтү өткөн же ал катталган эмес.
     Колдонуудагы сертификатты иштеп чыгуучуда каттатыңыз.
  ru Срок сертификата получателя истёк, или сертификат не зарегистрирован.
     Зарегистрируйте действующий сертификат у оператора.
  en The recipient's certificate has expired or is not registered.
     Register a valid certificate with the operator.
RCP-05
  ky Бул кызматкердин купуялуулукту сактоо милдеттенмеси катталган эмес.
     Милдеттенмени каттап, суроо-талапты жаңы номер менен жөнөтүңүз.
  ru За этим сотрудником не зарегистрировано обязательство о конфиденциальности.
     Зарегистрируйте обязательство и отправьте запрос под новым номером.
  en No undertaking of confidentiality is registered for this employee.
     Register it and send the request under a new id.
AGR-01
  ky Көрсөтүлгөн номер менен бул алуучунун күчүндөгү макулдашуусу жок.
     Макулдашуунун номерин жана мөөнөтүн текшериңиз.
  ru Под указанным номером у этого получателя нет действующего соглашения.
     Проверьте номер и срок соглашения.
  en This recipient has no agreement in force under the number given.
     Check the number and the term of the agreement.
AGR-02
  ky Макулдашуу бузулган жана ал боюнча маалымат берилбейт.
     Уюмуңуздун жетекчилиги ыйгарым укуктуу органга кайрылсын.
  ru Соглашение расторгнуто, данные по нему не предоставляются.
     Руководству вашей организации следует обратиться в уполномоченный орган.
  en The agreement is terminated and nothing is given under it.
     Your management should turn to the authorised body.
AGR-03
  ky Көрсөтүлгөн максат макулдашууда каралган эмес.
     Макулдашууда бар максатты көрсөтүңүз же макулдашууну толуктатыңыз.
  ru Указанная цель не предусмотрена соглашением.
     Укажите цель из соглашения или дополните соглашение.
  en The purpose stated is not in the agreement. State one that is, or have the agreement amended.
AGR-04
  ky Суралган маалымат макулдашуунун тизмесинде жок.
     Аны суроо-талаптан алып салыңыз же макулдашууну толуктатыңыз.
  ru Запрошенное сведение не входит в перечень соглашения.
     Исключите его из запроса или дополните соглашение.
  en The attribute asked for is not in the agreement. Leave it out or have the agreement amended.
AGR-05
  ky Салыштыруунун бул ыкмасы макулдашууда каралган эмес.
     Макулдашууда көрсөтүлгөн ыкманы колдонуңуз.
  ru Этот способ сопоставления не предусмотрен соглашением.
     Используйте способ, указанный в соглашении.
  en This way of matching is not in the agreement. Use a way that the agreement names.
AGR-06
  ky Макулдашуу боюнча бир күндүк чек түгөндү.
     Көрсөтүлгөн убакыттан кийин ошол эле номер менен кайталаңыз.
  ru Дневной лимит по соглашению исчерпан.
     Повторите запрос под тем же номером по истечении указанного времени.
  en The agreement's quota for the day is used up. Repeat under the same id after the time stated.
OPS-01
  ky Сервис убактылуу иштебей жатат. Кийинчерээк ошол эле номер менен кайталаңыз.
  ru Сервис временно недоступен. Повторите позже под тем же номером.
  en The service is unavailable for now. Repeat later under the same id.
OPS-02
  ky Салыштыруу системасы убактылуу иштебей жатат. Кийинчерээк ошол эле номер менен кайталаңыз.
  ru Система сопоставления временно недоступна. Повторите позже под тем же номером.
  en The matching system is unavailable for now. Repeat later under the same id.
OPS-03
  ky Жазуулар сакталуучу база убактылуу жеткиликсиз, ошондуктан маалымат берилбейт.
     Кийинчерээк ошол эле номер менен кайталаңыз.
  ru Хранилище записей временно недоступно, поэтому данные не предоставляются.
     Повторите позже под тем же номером.
  en The record store is unavailable for now, so nothing is given. Repeat later under the same id.
OPS-99
  ky Сервистин ичинде ката кетти.
     Кийинчерээк ошол эле номер менен кайталаңыз;
     ката кайталанса, суроо-талаптын номерин иштеп чыгуучуга билдириңиз.
  ru В сервисе произошла внутренняя ошибка.
     Повторите позже под тем же номером;
     если ошибка повторится, сообщите номер запроса оператору.
  en An error occurred inside the service.
     Repeat later under the same id;
     if it recurs, tell the operator the id of the request.
"""
