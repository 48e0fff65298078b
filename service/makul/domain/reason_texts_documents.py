"""Texts of the reasons about consents, bases in law, the match and the release.

`reason_texts` reads them.
"""

DOCUMENT_TEXTS = """
CNS-01
  ky Биометрикалык маалыматтар субъектисинин макулдугу берилген эмес.
     Субъекттин колтамгасы коюлган макулдукту тиркеңиз же мыйзамдуу негизди көрсөтүңүз.
  ru Согласие субъекта биометрических данных не представлено.
     Приложите подписанное согласие субъекта или укажите законное основание.
  en No consent of the subject of the data was presented.
     Attach the subject's signed consent or state a basis in law.
CNS-02
  ky Макулдуктагы электрондук колтамга тастыкталган жок.
     Кошумча көрсөтүлгөн себепти четтетип, субъекттен макулдукка кайра колтамга коюусун сураңыз.
  ru Электронная подпись согласия не подтверждена.
     Устраните дополнительно указанную причину и попросите субъекта подписать согласие заново.
  en The signature of the consent is not confirmed.
     Remove the cause stated besides and ask the subject to sign the consent anew.
CNS-03
  ky Субъекттин макулдугу азырынча күчүнө кире элек.
     Макулдукта көрсөтүлгөн күндөн кийин кайрылыңыз.
  ru Согласие субъекта ещё не вступило в силу. Обратитесь после даты, указанной в согласии.
  en The subject's consent is not yet in force. Ask after the date that the consent states.
CNS-04
  ky Субъекттин макулдугунун мөөнөтү бүткөн. Субъекттен жаңы макулдук алыңыз.
  ru Срок согласия субъекта истёк. Получите новое согласие субъекта.
  en The term of the subject's consent is over. Obtain a new consent from the subject.
CNS-05
  ky Субъект макулдугун кайтарып алган, ал боюнча маалымат берилбейт.
     Суроо-талапты кайталабаңыз; маалымат керек болсо, субъекттин өзүнө кайрылыңыз.
  ru Субъект отозвал согласие, данные по нему не предоставляются.
     Не повторяйте запрос; если данные нужны, обратитесь к самому субъекту.
  en The subject revoked the consent, and nothing is given on it.
     Do not repeat the request; if you need the data, turn to the subject.
CNS-06
  ky Бул макулдук боюнча маалымат берүүлөрдүн саны түгөндү.
     Дагы маалымат керек болсо, субъекттен жаңы макулдук алыңыз.
  ru Число предоставлений данных по этому согласию исчерпано.
     Если данные нужны ещё, получите новое согласие субъекта.
  en The number of disclosures allowed by this consent is used up.
     If you need more, obtain a new consent from the subject.
CNS-07
  ky Макулдук башка алуучуга же башка иштеп чыгуучуга берилген.
     Субъекттен дал ушул алуучу үчүн макулдук алыңыз.
  ru Согласие дано другому получателю или другому оператору.
     Получите согласие субъекта именно для этого получателя.
  en The consent was given to another recipient or another operator.
     Obtain the subject's consent for this very recipient.
CNS-08
  ky Макулдук башка максатка берилген.
     Макулдуктагы максатты көрсөтүңүз же субъекттен жаңы макулдук алыңыз.
  ru Согласие дано для другой цели. Укажите цель из согласия или получите новое согласие субъекта.
  en The consent was given for another purpose.
     State the purpose of the consent or obtain a new one from the subject.
CNS-09
  ky Субъект суралган маалыматты берүүгө макул болгон эмес.
     Аны суроо-талаптан алып салыңыз же субъекттен жаңы макулдук алыңыз.
  ru Субъект не давал согласия на предоставление запрошенного сведения.
     Исключите его из запроса или получите новое согласие субъекта.
  en The subject did not consent to the attribute asked for.
     Leave it out or obtain a new consent from the subject.
CNS-10
  ky Макулдуктун негизиндеги билдирме текстин ыйгарым укуктуу орган бекиткен эмес.
     Макулдукту бекитилген билдирме боюнча кайра алыңыз.
  ru Текст уведомления, на котором основано согласие, не утверждён уполномоченным органом.
     Получите согласие заново по утверждённому уведомлению.
  en The notice on which the consent rests is not approved by the authorised body.
     Obtain the consent anew on an approved notice.
CNS-11
  ky Макулдукту субъекттин өкүлү берген, бирок анын ыйгарым укугу далилденген эмес же макулдашуу
     буга жол бербейт. Макулдукту ыйгарым укук документи менен каттаңыз же субъекттин өзүнөн алыңыз.
  ru Согласие дал представитель, но полномочие не подтверждено или соглашение этого не допускает.
     Зарегистрируйте согласие с документом о полномочии или получите его у самого субъекта.
  en A representative gave the consent; their authority is unproven or the agreement allows none.
     Register it with the document of the authority, or obtain a consent of the subject in person.
CNS-12
  ky Кагаз жүзүндөгү макулдукка макулдашуу жол бербейт же аны кол койгон кызмат адамы колдонууда.
     Башка кызматкер сурасын же электрондук колтамга коюлган макулдукту алыңыз.
  ru Соглашение не допускает согласия на бумаге, или его использует подписавшее должностное лицо.
     Пусть запросит другой сотрудник, или получите согласие с электронной подписью.
  en The agreement allows no consent on paper, or the official who signed it is using it.
     Let another employee ask, or obtain a consent with an electronic signature.
CNS-13
  ky Кагаз жүзүндөгү макулдуктун сканы жок же макулдукта көрсөтүлгөнгө дал келбейт.
     Кагаздын өзүнүн сканын тиркеңиз.
  ru Скан бумажного согласия отсутствует или не совпадает с указанным в согласии.
     Приложите скан самой бумаги.
  en The scan of the paper consent is missing or differs from the one it names.
     Attach the scan of that very paper.
CNS-14
  ky Макулдукту башка адам берген.
     Маалыматтары суралып жаткан субъекттин өзүнүн макулдугун тиркеңиз.
  ru Согласие дано другим лицом. Приложите согласие того субъекта, чьи данные запрашиваются.
  en The consent is another person's. Attach the consent of the subject whose data are asked for.
CNS-15
  ky Макулдукта башка макулдашуу көрсөтүлгөн.
     Суроо-талапта жана макулдукта бир эле макулдашуу көрсөтүлүшү керек.
  ru В согласии указано другое соглашение.
     В запросе и в согласии должно быть указано одно и то же соглашение.
  en The consent names another agreement. Request and consent have to name the same agreement.
CNS-16
  ky Салыштыруунун ыкмасы же жооптун түрү субъекттин макулдугунан тышкары.
     Макулдукта көрсөтүлгөндү гана сураңыз же жаңы макулдук алыңыз.
  ru Способ сопоставления или вид ответа выходит за пределы согласия субъекта.
     Запрашивайте только указанное в согласии или получите новое согласие.
  en The way of matching or the kind of answer goes beyond the subject's consent.
     Ask only for what it states or obtain a new one.
LAW-01
  ky Көрсөтүлгөн негиз Тартиптин 5-пунктунда жок. Ошол пунктта каралган негизди көрсөтүңүз.
  ru Указанного основания нет в пункте 5 Порядка. Укажите основание, предусмотренное этим пунктом.
  en The basis stated is not one of clause 5 of the Procedure.
     State one that the clause provides for.
LAW-02
  ky Бул алуучунун көрсөтүлгөн негиз боюнча макулдуксуз маалымат алууга укугу жок.
     Субъекттин макулдугун алыңыз.
  ru Этот получатель не вправе получать данные без согласия по указанному основанию.
     Получите согласие субъекта.
  en This recipient is not entitled to data without consent on the basis stated.
     Obtain the consent of the subject.
LAW-03
  ky Негизде иштин номери, укук берүүчү акт же ыйгарым укуктуу кызмат адамы жок же дал келбейт.
     Аларды толтуруп, негизге кайра колтамга коюңуз.
  ru В основании нет номера дела, акта или уполномоченного лица, либо они не совпадают.
     Заполните их и подпишите основание заново.
  en The case number, the act or the official is missing from the basis or does not agree.
     Complete it and have it signed anew.
LAW-04
  ky Суралган маалымат сурап жаткан органдын ыйгарым укуктарына же негиздеги тизмеге кирбейт.
     Аны суроо-талаптан алып салыңыз.
  ru Запрошенное сведение выходит за пределы полномочий органа или перечня в основании.
     Исключите его из запроса.
  en The attribute asked for is outside the body's powers or the list in the basis.
     Leave it out of the request.
LAW-05
  ky Негиз башка адамга же башка үлгүгө тиешелүү.
     Маалыматтары суралып жаткан адам жөнүндөгү негизди тиркеңиз.
  ru Основание относится к другому лицу или другому образцу.
     Приложите основание о том лице, чьи данные запрашиваются.
  en The basis is about another person or another probe.
     Attach a basis about the person whose data are asked for.
LAW-06
  ky Негиз башка алуучуга, башка макулдашууга же башка максатка берилген.
     Дал ушул суроо-талап үчүн берилген негизди тиркеңиз.
  ru Основание выдано для другого получателя, соглашения или цели.
     Приложите основание, выданное именно для этого запроса.
  en The basis was issued for another recipient, agreement or purpose.
     Attach a basis issued for this very request.
LAW-07
  ky Негиздин мөөнөтү баштала элек же бүткөн. Күчүндөгү негизди тиркеңиз.
  ru Срок основания ещё не начался или уже истёк. Приложите действующее основание.
  en The term of the basis has not begun or is over. Attach a basis that is in force.
LAW-08
  ky Бул негиз боюнча маалымат берүүлөрдүн саны түгөндү.
     Дагы маалымат керек болсо, жаңы негиз берилиши керек.
  ru Число предоставлений данных по этому основанию исчерпано.
     Если данные нужны ещё, требуется новое основание.
  en The number of disclosures allowed by this basis is used up.
     If you need more, a new basis has to be issued.
LAW-09
  ky Негиздеги электрондук колтамга тастыкталган жок.
     Кошумча көрсөтүлгөн себепти четтетип, негизге ыйгарым укуктуу кызмат адамы кайра колтамга
     койсун.
  ru Электронная подпись основания не подтверждена.
     Устраните дополнительно указанную причину;
     уполномоченное лицо должно подписать основание заново.
  en The signature of the basis is not confirmed.
     Remove the cause stated besides;
     the authorised official has to sign it anew.
MAT-01
  ky Дал келүү табылган жок, ошондуктан маалымат берилбейт.
     Адамдын документиндеги маалыматтар менен салыштырып көрүңүз.
  ru Совпадение не установлено, поэтому данные не предоставляются.
     Сверьте введённые сведения с документом лица.
  en There was no match, so nothing is given. Compare what was entered with the person's document.
MAT-02
  ky Берилген маалымат адамды так аныктоого жетпейт.
     Кошумча маалымат менен жаңы суроо-талап жөнөтүңүз.
  ru Представленных сведений недостаточно, чтобы однозначно установить лицо.
     Отправьте новый запрос с дополнительными сведениями.
  en What was given does not identify the person with certainty. Send a new request with more data.
MAT-03
  ky Үлгүнүн сапаты салыштыруу үчүн жетишсиз. Жаңы үлгү алып, жаңы номер менен жөнөтүңүз.
  ru Качество образца недостаточно для сопоставления.
     Получите новый образец и отправьте его под новым номером.
  en The quality of the probe is too low for matching. Take a new probe and send it under a new id.
MAT-04
  ky Салыштыруунун бул ыкмасы азыр колдонулбайт.
     Макулдашууда бар башка ыкма менен жаңы суроо-талап жөнөтүңүз.
  ru Этот способ сопоставления сейчас не применяется.
     Отправьте новый запрос с другим способом, указанным в соглашении.
  en This way of matching is not available.
     Send a new request with another way that the agreement names.
MAT-05
  ky Субъект макулдук боюнча салыштырууну токтоткон.
     Муну субъекттин өзү гана кайра ача алат;
     ага кайрылыңыз.
  ru Субъект закрыл сопоставление по согласию.
     Открыть его может только сам субъект;
     обратитесь к нему.
  en The subject has stopped matching by consent.
     Only the subject can allow it again;
     turn to the subject.
MAT-06
  ky Дал келбеген аракеттердин саны чегине жетти.
     Көрсөтүлгөн убакыттан кийин ошол эле номер менен кайталаңыз.
  ru Достигнут предел числа безуспешных попыток.
     Повторите запрос под тем же номером по истечении указанного времени.
  en The limit of failed attempts is reached. Repeat under the same id after the time stated.
REL-01
  ky Суралган маалымат базада жок, ошондуктан ал берилген жок.
     Керек болсо, аны субъекттин өзүнөн алыңыз.
  ru Запрошенного сведения в базе нет, поэтому оно не предоставлено.
     При необходимости получите его у самого субъекта.
  en The attribute asked for is not held, so it was not given.
     If you need it, obtain it from the subject.
REL-02
  ky Суралган маалымат такталып жатат, ошондуктан азырынча берилбейт.
     Такталгандан кийин жаңы суроо-талап жөнөтүңүз.
  ru Запрошенное сведение уточняется и пока не предоставляется.
     После уточнения отправьте новый запрос.
  en The attribute asked for is being corrected and is withheld meanwhile.
     Send a new request once it is corrected.
"""
