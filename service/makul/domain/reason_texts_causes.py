"""Texts of the causes: what is wrong, and what is expected instead. `reason_texts` reads them."""

CAUSE_TEXTS = """
not-well-formed
  ky Билдирүү же документ туура түзүлгөн XML эмес. UTF-8 коддолушундагы толук XML жөнөтүңүз.
  ru Сообщение или документ не является правильно построенным XML.
     Отправьте полный XML в кодировке UTF-8.
  en The message or document is not well-formed XML. Send complete XML in UTF-8.
document-type
  ky DOCTYPE же ENTITY жарыялоосуна уруксат жок. Аны алып салып, кайра колтамга коюңуз.
  ru Объявления DOCTYPE и ENTITY не допускаются. Уберите их и подпишите заново.
  en DOCTYPE and ENTITY declarations are not allowed. Remove them and sign again.
comment
  ky Көрсөтүлгөн элементте (элемент аталбаса, түпкү элементтин сыртында) XML комментарийи бар,
     ага уруксат жок.
     Комментарийди алып салып, кайра колтамга коюп жөнөтүңүз.
  ru В указанном элементе (если он не назван, вне корневого элемента) стоит комментарий XML,
     что не допускается.
     Удалите комментарий, подпишите и отправьте заново.
  en The element named (or, where none is, the text outside the root element) holds an XML
     comment, which is not allowed.
     Remove the comment, sign and send again.
processing-instruction
  ky Көрсөтүлгөн элементте (элемент аталбаса, түпкү элементтин сыртында) XML иштетүү көрсөтмөсү
     бар, ага уруксат жок.
     Аны алып салып, кайра колтамга коюп жөнөтүңүз.
  ru В указанном элементе (если он не назван, вне корневого элемента) стоит инструкция обработки
     XML, что не допускается.
     Удалите её, подпишите и отправьте заново.
  en The element named (or, where none is, the text outside the root element) holds an XML
     processing instruction, which is not allowed.
     Remove it, sign and send again.
encoding
  ky XML башка коддолушта жарыяланган. UTF-8 гана колдонуңуз жана XML жарыялоосунда да ушуну
     жазыңыз.
  ru XML объявлен в другой кодировке. Используйте только UTF-8 и укажите её в объявлении XML.
  en The XML declares another encoding. Use UTF-8 alone, and say so in the XML declaration.
xml-version
  ky XML башка версияда жарыяланган. XML 1.0 колдонуңуз.
  ru XML объявлен другой версии. Используйте XML 1.0.
  en The XML declares another version. Use XML 1.0.
too-large
  ky Билдирүү өтө чоң: 4 МиБге чейин, RegisterConsent үчүн гана 16 МиБге чейин болот.
     Керексиз тиркемелерди алып салып, жаңы номер менен жөнөтүңүз.
  ru Сообщение слишком велико: до 4 МиБ, и только для RegisterConsent до 16 МиБ.
     Уберите лишнее и отправьте под новым номером.
  en The message is too large: at most 4 MiB, and 16 MiB for RegisterConsent alone.
     Leave out what is not needed and send under a new id.
too-many-parts
  ky XMLде элементтер, атрибуттар же деңгээлдер өтө көп. Сервистин сүрөттөмөсүндөгүнү гана
     жөнөтүңүз.
  ru В XML слишком много элементов, атрибутов или уровней. Отправляйте только описанное в сервисе.
  en The XML has too many elements, attributes or levels. Send only what the service describes.
soap-version
  ky Envelope элементи Content-Type айткан SOAP версиясына туура келбейт.
     SOAP 1.1 үчүн text/xml, SOAP 1.2 үчүн application/soap+xml колдонуңуз.
  ru Элемент Envelope не той версии SOAP, которую называет Content-Type.
     Для SOAP 1.1 используйте text/xml, для SOAP 1.2 application/soap+xml.
  en The Envelope is not of the SOAP version that the Content-Type names.
     Use text/xml for SOAP 1.1 and application/soap+xml for SOAP 1.2.
body-content
  ky Envelope ичинде бирден ашык эмес Header жана так бир Body, ал эми Body ичинде операциянын
     так бир элементи болушу керек. Түзүмдү оңдоп, жаңы номер менен жөнөтүңүз.
  ru Envelope содержит не более одного Header и ровно один Body, а Body ровно один элемент
     операции.
     Исправьте структуру и отправьте под новым номером.
  en An Envelope holds at most one Header and exactly one Body, and the Body one operation's
     element.
     Correct the structure and send under a new id.
text-beside
  ky Көрсөтүлгөн элементте элементтердин жанында текст бар. Анда элементтер гана болушу керек.
  ru В указанном элементе рядом с элементами стоит текст. В нём допускаются только элементы.
  en The element named holds text beside its elements. Only elements may stand there.
not-understood
  ky Header ичинде mustUnderstand менен белгиленген, бул жерде колдонулбаган блок бар.
     Блокту же анын mustUnderstand белгисин алып салыңыз.
  ru В Header есть блок с mustUnderstand, который здесь не обрабатывается.
     Уберите этот блок или его признак mustUnderstand.
  en The Header has a block marked mustUnderstand that is not processed here.
     Remove the block or its mustUnderstand.
no-security
  ky Билдирүүдө WS-Security колтамгасы жок.
     Header ичине Security кошуп, Body менен Timestamp элементтерине колтамга коюңуз.
  ru В сообщении нет подписи WS-Security.
     Добавьте в Header блок Security и подпишите Body и Timestamp.
  en The message has no WS-Security signature.
     Add a Security block to the Header and sign Body and Timestamp.
security-count
  ky Security блогу так бирөө болуп, Header ичинде туруш керек. Ашыкчасын алып салыңыз.
  ru Блок Security должен быть ровно один и стоять в Header. Уберите лишние.
  en There must be exactly one Security block, and it must stand in the Header. Remove any other.
security-for-another
  ky Security блогу actor же role боюнча башка түйүнгө арналган. Бул атрибутту алып салыңыз.
  ru Блок Security по actor или role предназначен другому узлу. Уберите этот атрибут.
  en The Security block is meant for another node by its actor or role. Remove that attribute.
no-signature
  ky Signature элементи жок. Электрондук колтамга коюп, кайра жөнөтүңүз.
  ru Нет элемента Signature. Подпишите и отправьте повторно.
  en There is no Signature element. Sign and send again.
signature-count
  ky Signature так бирөө болуп, өз ордунда туруш керек: билдирүүдө Security ичинде, документте
     түпкү
     элементтин ичинде. Башка колтамгаларды жана каршы колтамгаларды алып салыңыз.
  ru Signature должна быть ровно одна и на своём месте: в сообщении в Security, в документе внутри
     корневого элемента. Уберите другие подписи, в том числе заверяющие.
  en There must be exactly one Signature, at its place: in Security for a message, a child of the
     root
     for a document. Remove other signatures, countersignatures included.
security-parts
  ky Security ичинде так бир BinarySecurityToken, бир Timestamp жана бир Signature болушу керек.
     Көрсөтүлгөн элементти кошуңуз же алып салыңыз.
  ru В Security должны быть ровно один BinarySecurityToken, один Timestamp и одна Signature.
     Добавьте или уберите указанный элемент.
  en Security must hold exactly one BinarySecurityToken, one Timestamp and one Signature.
     Add or remove the element named.
key-reference
  ky KeyInfo билдирүүдөгү BinarySecurityToken'ге wsse:Reference аркылуу шилтеме кылышы керек.
     Кол коюучуну ачкычтын DirectReference ыкмасына коюңуз.
  ru KeyInfo должен ссылаться на BinarySecurityToken сообщения через wsse:Reference.
     Настройте указание ключа DirectReference.
  en KeyInfo must refer to the BinarySecurityToken in the message by a wsse:Reference.
     Set the key identifier of your stack to DirectReference.
token-type
  ky BinarySecurityToken base64 түрүндөгү бир X.509 v3 сертификаты (ValueType X509v3) болушу
     керек.
     PKCS7 жана PKIPath колдонбоңуз.
  ru BinarySecurityToken должен быть одним сертификатом X.509 v3 в base64 (ValueType X509v3).
     Не используйте PKCS7 и PKIPath.
  en BinarySecurityToken must be one X.509 v3 certificate in base64 (ValueType X509v3).
     Do not use PKCS7 or PKIPath.
part-unsigned
  ky Көрсөтүлгөн элементке колтамга коюлган эмес.
     Body менен Timestamp экөөнө тең wsu:Id берип, колтамга коюңуз.
  ru Указанный элемент не подписан. Задайте wsu:Id элементам Body и Timestamp и подпишите оба.
  en The element named is not signed. Give Body and Timestamp a wsu:Id each, and sign both.
signed-beside
  ky Body менен Timestamp гана колтамгаланышы керек. Башка бөлүктөргө болгон Reference'ти алып
     салыңыз.
  ru Подписаны должны быть только Body и Timestamp. Уберите Reference на другие части.
  en Body and Timestamp alone are to be signed. Remove the Reference to any other part.
identifier-shared
  ky Эки элементтин Id мааниси бирдей. Ар бир элементке өз Id берип, кайра колтамга коюңуз.
  ru Два элемента имеют одинаковый Id. Дайте каждому свой Id и подпишите заново.
  en Two elements bear the same Id. Give each an Id of its own and sign again.
transform
  ky Reference ичинде уруксат берилбеген Transform бар. Документте enveloped-signature (же ага
     барабар
     XPath) жана бир C14N, билдирүүдө exclusive C14N гана болот.
  ru В Reference есть недопустимый Transform. В документе возможны enveloped-signature (или равный
     ему XPath) и одна канонизация, в сообщении только exclusive C14N.
  en A Reference has a Transform that is not accepted. A document takes enveloped-signature (or an
     XPath equal to it) and one canonicalisation; a message takes exclusive C14N alone.
signature-form
  ky Signature элементинин түзүмү XML Signature схемасына туура келбейт.
     Көрсөтүлгөн элементти схема боюнча оңдоп, кайра колтамга коюңуз.
  ru Структура элемента Signature не соответствует схеме XML Signature.
     Исправьте указанный элемент по схеме и подпишите заново.
  en The Signature does not follow the schema of XML Signature.
     Correct the element named and sign again.
timestamp-parts
  ky Timestamp ичинде так бир Created жана бир Expires болуп, убакыттын белдеми көрсөтүлүшү керек.
     Мисалы: 2026-11-30T06:00:00Z.
  ru В Timestamp должны быть ровно один Created и один Expires с указанием часового пояса.
     Например: 2026-11-30T06:00:00Z.
  en Timestamp must hold exactly one Created and one Expires, each with its time zone.
     For example: 2026-11-30T06:00:00Z.
time-zone
  ky Көрсөтүлгөн убакыт бир нече саатка келечекте же өткөндө: жергиликтүү убакыт UTC катары
     жазылса
     керек. UTC убактысын Z менен же жергиликтүү убакытты +06:00 менен жазыңыз.
  ru Указанное время сдвинуто на часы: похоже, местное время записано как UTC.
     Пишите время UTC с Z или местное время со смещением +06:00.
  en The time named is off by hours: it looks like local time written as UTC.
     Write UTC with Z, or local time with its offset, such as +06:00.
document-size
  ky Документ өтө чоң: 256 КиБге чейин болушу керек. Сканды өзүнчө тиркеңиз.
  ru Документ слишком велик: допускается до 256 КиБ. Скан прилагайте отдельно.
  en The document is too large: at most 256 KiB are accepted. Attach a scan apart from it.
document-signature
  ky Документте SignedInfo, SignatureValue, KeyInfo жана бир Object турган бир XAdES колтамгасы
     (enveloped) болушу керек. Кол коюучуну XAdES-B, enveloped кылып коюңуз.
  ru В документе должна быть одна подпись XAdES (enveloped): SignedInfo, SignatureValue, KeyInfo и
     один Object. Настройте подписание как XAdES-B, enveloped.
  en The document needs one enveloped XAdES signature: SignedInfo, SignatureValue, KeyInfo and one
     Object. Set your signer to XAdES-B, enveloped.
properties
  ky QualifyingProperties (XAdES 1.3.2) бирөө болуп, Signature'дын Id'син Target менен көрсөтүп,
     бир SignedProperties камтышы керек. Кайра колтамга коюңуз.
  ru Должен быть один QualifyingProperties (XAdES 1.3.2), указывающий в Target на Id подписи, с
     одним
     SignedProperties. Подпишите заново.
  en There must be one QualifyingProperties (XAdES 1.3.2) whose Target is the Signature's Id,
     with one
     SignedProperties. Sign again.
signer-reference
  ky SigningCertificateV2 (же SigningCertificate) KeyInfo'догу кол коюучунун сертификатын атабайт.
     Кол коюучунун сертификатын экөөнө тең, биринчи кылып жазыңыз.
  ru SigningCertificateV2 (или SigningCertificate) не называет сертификат подписавшего из KeyInfo.
     Укажите его в обоих местах, первым.
  en SigningCertificateV2 (or SigningCertificate) does not name the signer's certificate in
     KeyInfo.
     Put that certificate into both, as the first.
signing-time
  ky SigningTime жок, туура эмес же келечекте. Убакытты белдеми менен жазып, саатты тууралаңыз.
  ru SigningTime отсутствует, записано неверно или указывает в будущее.
     Пишите время с часовым поясом и проверьте часы.
  en SigningTime is missing, malformed or in the future. Write it with its time zone and check
     the clock.
key-info
  ky KeyInfo ичинде X509Data жана 1ден 8ге чейин X509Certificate болушу керек;
     KeyValue көрсөтүлсө, ал сертификаттын ачкычы менен бирдей болсун.
  ru В KeyInfo должны быть X509Data и от 1 до 8 X509Certificate; KeyValue, если есть, равен ключу
     сертификата.
  en KeyInfo must hold X509Data with 1 to 8 X509Certificate; a KeyValue, if any, must be the
     certificate's key.
reference-target
  ky Reference башка нерсени көрсөтөт. Документтин өзүнө (URI="" же түпкү элементтин Id'си),
     SignedProperties'ке жана каалоо боюнча KeyInfo'го бирден Reference болушу керек.
  ru Reference указывает на другое. Нужны по одному Reference на сам документ (URI="" или Id
     корня),
     на SignedProperties и, при желании, на KeyInfo.
  en A Reference names something else. One each is needed to the document (URI="" or the root's
     Id),
     to SignedProperties and, if you like, to KeyInfo.
timestamp-token
  ky SignatureTimeStamp бул колтамга үчүн алынган RFC 3161 токени эмес.
     Аны кайра алыңыз же алып салыңыз.
  ru SignatureTimeStamp не является меткой времени RFC 3161 этой подписи. Получите её заново или
     уберите.
  en SignatureTimeStamp is no RFC 3161 token about this signature. Obtain it again or remove it.
certificate-form
  ky Сертификатты окуу мүмкүн эмес: DER түрүндөгү X.509 сертификаты күтүлөт.
  ru Сертификат не читается: ожидается сертификат X.509 в DER.
  en The certificate cannot be read: an X.509 certificate in DER is expected.
certificate-serial
  ky Сертификаттын сериялык номери оң сан эмес же 20 октеттен узун (RFC 5280).
     Сертификаттоо борборунан башка сертификат алыңыз.
  ru Серийный номер сертификата не положителен или длиннее 20 октетов (RFC 5280).
     Получите в удостоверяющем центре другой сертификат.
  en The certificate's serial number is not positive or is longer than 20 octets (RFC 5280).
     Obtain another certificate from its authority.
key-algorithm
  ky Сертификаттын ачкычынын алгоритми бул жерде кабыл алынбайт.
     RSA (2048 биттен) же ECDSA P-256, P-384, P-521 ачкычы бар сертификат колдонуңуз.
  ru Алгоритм ключа сертификата здесь не принимается.
     Используйте сертификат с ключом RSA от 2048 бит или ECDSA P-256, P-384, P-521.
  en The algorithm of the certificate's key is not accepted here.
     Use a certificate with an RSA key of 2048 bits or more, or ECDSA P-256, P-384 or P-521.
digest-method
  ky Бул DigestMethod кабыл алынбайт. SHA-256, SHA-384 же SHA-512 колдонуп, кайра колтамга коюңуз.
  ru Этот DigestMethod не принимается. Подпишите заново с SHA-256, SHA-384 или SHA-512.
  en This DigestMethod is not accepted. Sign anew with SHA-256, SHA-384 or SHA-512.
signature-method
  ky Бул SignatureMethod кабыл алынбайт же сертификаттын ачкычына туура келбейт.
     RSA (PKCS #1 v1.5 же PSS) же ECDSA, SHA-256, SHA-384 же SHA-512 менен кайра колтамга коюңуз.
  ru Этот SignatureMethod не принимается или не подходит к ключу сертификата.
     Подпишите заново: RSA (PKCS #1 v1.5 или PSS) или ECDSA с SHA-256, SHA-384 или SHA-512.
  en This SignatureMethod is not accepted, or does not fit the certificate's key.
     Sign anew by RSA (PKCS #1 v1.5 or PSS) or ECDSA with SHA-256, SHA-384 or SHA-512.
canonicalisation
  ky CanonicalizationMethod билдирүүдө exclusive C14N, документте C14N 1.0, 1.1 же exclusive C14N
     болуп, комментарийсиз (WithComments жок) болушу керек. Кайра колтамга коюңуз.
  ru CanonicalizationMethod в сообщении должен быть exclusive C14N, в документе C14N 1.0, 1.1 или
     exclusive C14N, без WithComments. Подпишите заново.
  en CanonicalizationMethod must be exclusive C14N in a message, and C14N 1.0, 1.1 or exclusive
     C14N in a document, without comments. Sign anew.
timestamp-order
  ky Timestamp ичинде Expires убактысы Created убактысынан кийин болушу керек.
     Оңдоп, кайра колтамга коюңуз.
  ru В Timestamp время Expires должно быть позже времени Created.
  en In the Timestamp, Expires must be later than Created.
xroad-header
  ky Көрсөтүлгөн X-Road аталышы жок, кайталанган же туура эмес. Header ичинде client, service, id
     (requestId менен бирдей UUID) жана protocolVersion 4.0 бирден болушу керек; service бул
     операцияны атайт.
  ru Указанный заголовок X-Road отсутствует, повторён или неверен. В Header нужны по одному client,
     service, id (тот же UUID, что requestId) и protocolVersion 4.0; service называет эту операцию.
  en The X-Road header named is missing, repeated or wrong. The Header needs one each of client,
     service, id (the UUID of requestId) and protocolVersion 4.0; service names this operation.
"""
