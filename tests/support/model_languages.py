"""Word banks and sentence patterns of the model server in a few other languages: enough to be told apart by them.

By the English name of the language, as the prompts have it; with the names that `model_words` has. One is in Latin
letters, one is written without spaces, one from right to left, one without marks between its sentences.
"""

from types import SimpleNamespace


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


OTHER_LANGUAGES = {
    "German": SimpleNamespace(
        BANKS={
            "adjective": _split(
                "thermische langsame örtliche mittlere seltene jährliche doppelte offene strenge flüchtige zufällige lineare"
            ),
            "noun": _split(
                "Verteilung Messung Schwankung Reibung Strömung Ordnung Grenze Ladung Dichte Neigung Wirkung Ablagerung "
                "Beziehung Bewegung Krümmung Störung Häufung Spaltung Mischung Schwelle Abweichung Verzögerung Brechung"
            ),
            "thing": _split("Proben Berichte Verträge Geräte Felder Haushalte Bauteile Briefe Zellen Fahrzeuge Netze Äcker"),
            "place": _split("Hamburg München Leipzig Graz Zürich Kassel Bremen Ulm Bern Dresden Trier Rostock"),
            "unit": _split("Stunden Tagen Wochen Monaten Jahren Minuten"),
        },
        TITLE_FORMS=("{Adjective} {noun}", "{noun} und {noun}", "Von der {noun} zur {noun}", "Grundlagen der {noun}"),
        PHRASE_FORMS=("{adjective} {noun}", "{noun} der {noun}", "Gesetz der {noun}", "{noun} ohne {noun}"),
        DESCRIPTIONS=(
            "Die Teilnehmer lernen, woran man die {noun} erkennt und wie sie sich von der {noun} unterscheidet.",
            "Danach können sie die {adjective} {noun} selbst berechnen und die Ergebnisse beurteilen.",
            "Es geht darum, was die {noun} für die {thing} in der Praxis bedeutet und wo sie versagt.",
            "Zwei Wege zur {adjective} {noun} werden verglichen, einer davon mit {number} {thing}.",
        ),
        OPENINGS=(
            "Ein Betrieb in {place} untersucht {number} {thing} und findet bei {percent} Prozent davon die {concept}.",
            "In {place} wurden im Lauf von {small} {unit} genau {number} {thing} geprüft, um die {concept} zu verstehen.",
            "Eine Forscherin aus {place} behauptet, dass {concept} bei {number} {thing} um {decimal} steigt.",
        ),
        MIDDLES=(
            "Die {adjective} {noun} bleibt dabei unter {decimal}, obwohl {concept} nach {small} {unit} nachlässt.",
            "Von den übrigen {number} {thing} ist nur bekannt, dass sie keine {noun} zeigen.",
            "Gleichzeitig spricht {concept} dafür, dass jede {noun} zusätzlich {small} {thing} betrifft.",
        ),
        ASKS=(
            "Wie erklärt {concept} diesen Unterschied, und welche {noun} erwarten Sie nach {number} {unit}?",
            "Welche der beiden Erklärungen passt besser zu {concept}, und was würde sie widerlegen?",
            "Wie viele {thing} braucht man mindestens, damit {concept} die {noun} noch überwiegt, und warum?",
        ),
        STATEMENTS=(
            "Zuerst trennt man die {adjective} {noun} von der {noun}, weil beide verschiedene Ursachen haben.",
            "Teilt man {number} durch {small}, so ergibt sich eine {noun} von etwa {decimal}.",
            "Weil {concept} früher wirkt als die {noun}, lässt ihr Einfluss nach {small} {unit} deutlich nach.",
            "Damit wächst die {noun} um {percent} Prozent, sobald alle {thing} berücksichtigt sind.",
            "Ohne {concept} läge die {noun} in der Nähe von {decimal} und bliebe dort.",
            "Ein zweiter Blick auf die {thing} bestätigt, dass {percent} Prozent dieselbe {noun} haben.",
            "Man darf dabei nicht vergessen, dass jede {adjective} {noun} auch die {thing} verändert.",
        ),
        CONCLUSIONS=(
            "Insgesamt erklärt {concept} also {percent} Prozent, und die {adjective} {noun} den Rest.",
            "Man braucht deshalb {number} {thing}, da {concept} die {noun} bei {decimal} begrenzt.",
        ),
    ),
    "Chinese": SimpleNamespace(
        BANKS={
            "adjective": _split("局部 缓慢 平均 线性 随机 年度 双重 开放 严格 周期 稳定 动态"),
            "noun": _split("分布 测量 波动 摩擦 流动 秩序 边界 电荷 密度 倾向 作用 沉积 关系 运动 曲率 扰动 积累 分裂 混合 阈值 偏差 延迟"),
            "thing": _split("样品 报告 合同 设备 田地 家庭 零件 信件 细胞 车辆"),
            "place": _split("北京 上海 广州 成都 武汉 西安 南京 昆明 杭州 长沙"),
            "unit": _split("小时 天 周 个月 年 分钟"),
        },
        TITLE_FORMS=("{adjective}{noun}", "{noun}与{noun}", "从{noun}到{noun}", "{noun}的基础"),
        PHRASE_FORMS=("{adjective}{noun}", "{noun}的{noun}", "{noun}定律", "{adjective}{noun}分析"),
        DESCRIPTIONS=(
            "学生学习如何识别{noun}，以及它与{adjective}{noun}有什么不同。",
            "学完以后，他们能够自己计算{adjective}{noun}，并判断结果是否可靠。",
            "本部分说明{noun}对{thing}在实际工作中意味着什么，以及它在哪里失效。",
        ),
        OPENINGS=(
            "{place}的一家工厂检查了{number}件{thing}，发现其中百分之{percent}出现了{concept}。",
            "为了理解{concept}，研究人员在{place}用{small}{unit}的时间记录了{number}件{thing}。",
            "{place}的一位工程师认为，{concept}会使{number}件{thing}的{noun}上升到{decimal}。",
        ),
        MIDDLES=(
            "与此同时，{adjective}{noun}一直低于{decimal}，而{concept}在{small}{unit}以后减弱。",
            "关于其余的{number}件{thing}，我们只知道它们没有表现出{noun}。",
        ),
        ASKS=(
            "{concept}怎样解释这种差别，经过{number}{unit}以后你预计会出现什么样的{noun}？",
            "两种解释中哪一种更符合{concept}，什么样的{noun}可以推翻它？",
            "至少需要多少件{thing}，{concept}才能仍然超过{noun}，为什么？",
        ),
        STATEMENTS=(
            "首先要把{adjective}{noun}和{concept}分开，因为两者的原因不同。",
            "用{number}除以{small}，得到的{noun}大约是{decimal}，处在合理的范围之内。",
            "由于{concept}比{noun}更早起作用，它的影响在{small}{unit}以后就会消失。",
            "再次检查这些{thing}可以看到，百分之{percent}具有同样的{noun}。",
            "如果没有{concept}，{noun}就会停留在{decimal}附近。",
            "还应当注意，每一次{adjective}{noun}都会改变{thing}的状态。",
        ),
        CONCLUSIONS=(
            "总之，{concept}可以解释百分之{percent}，其余部分来自{adjective}{noun}。",
            "因此需要{number}件{thing}，因为{concept}把{noun}限制在{decimal}。",
        ),
    ),
    "Arabic": SimpleNamespace(
        BANKS={
            "adjective": _split("البطيء المحلي الخطي العشوائي السنوي المزدوج المفتوح الصارم الدوري الثابت"),
            "noun": _split("التوزيع القياس التذبذب الاحتكاك الجريان النظام الحد الشحن التركيز الميل الأثر الترسب الانحراف التأخير"),
            "thing": _split("عينات تقارير عقود أجهزة حقول أسر رسائل خلايا مركبات شبكات"),
            "place": _split("القاهرة دمشق بغداد تونس الرباط عمّان بيروت الجزائر"),
            "unit": _split("ساعات أيام أسابيع أشهر سنوات دقائق"),
        },
        TITLE_FORMS=("{noun} {adjective}", "{noun} و{noun}", "من {noun} إلى {noun}", "أسس {noun}"),
        PHRASE_FORMS=("{noun} {adjective}", "قانون {noun}", "{noun} دون {noun}", "حساب {noun} {adjective}"),
        DESCRIPTIONS=(
            "يتعلم الطلاب كيف يميزون {noun} وكيف يختلف عن {noun} {adjective}.",
            "بعد ذلك يستطيعون حساب {noun} {adjective} بأنفسهم والحكم على النتائج.",
        ),
        OPENINGS=(
            "فحص مصنع في {place} عدد {number} من {thing} ووجد {concept} في {percent} بالمئة منها.",
            "سجل باحثون في {place} خلال {small} {unit} نتائج {number} من {thing} لكي يفهموا {concept}.",
        ),
        MIDDLES=(
            "وفي الوقت نفسه بقي {noun} {adjective} أقل من {decimal} مع أن {concept} ضعف بعد {small} {unit}.",
            "أما بقية {thing} وعددها {number} فلا نعرف عنها سوى أنها لا تظهر {noun}.",
        ),
        ASKS=(
            "كيف يفسر {concept} هذا الفرق، وما {noun} الذي تتوقعه بعد {number} {unit}؟",
            "أي التفسيرين يناسب {concept} أكثر، وما الذي يمكن أن ينقضه؟",
        ),
        STATEMENTS=(
            "نفصل أولا {noun} {adjective} عن {concept} لأن لكل منهما سببا مختلفا.",
            "بقسمة {number} على {small} نحصل على {noun} يساوي تقريبا {decimal}.",
            "لأن {concept} يعمل قبل {noun} فإن أثره يزول بعد {small} {unit}.",
            "تؤكد نظرة ثانية إلى {thing} أن {percent} بالمئة منها لها {noun} نفسه.",
            "لو لم يكن {concept} موجودا لبقي {noun} قريبا من {decimal}.",
        ),
        CONCLUSIONS=("إذن يفسر {concept} نسبة {percent} بالمئة ويفسر {noun} {adjective} ما تبقى.",),
    ),
    "Thai": SimpleNamespace(
        BANKS={
            "adjective": _split("เชิงเส้น เฉลี่ย สุ่ม รายปี คู่ขนาน แบบเปิด คงที่ ชั่วคราว"),
            "noun": _split("การกระจาย การวัด แรงเสียดทาน การไหล ความหนาแน่น ขอบเขต ประจุ ความเบี่ยงเบน การสะสม ความล่าช้า การผสม"),
            "thing": _split("ตัวอย่าง รายงาน สัญญา เครื่องมือ ครัวเรือน ชิ้นส่วน เซลล์ ยานพาหนะ"),
            "place": _split("กรุงเทพ เชียงใหม่ ขอนแก่น ภูเก็ต อยุธยา ระยอง"),
            "unit": _split("ชั่วโมง วัน สัปดาห์ เดือน ปี นาที"),
        },
        TITLE_FORMS=("{noun}{adjective}", "{noun}และ{noun}", "พื้นฐานของ{noun}"),
        PHRASE_FORMS=("{noun}{adjective}", "กฎของ{noun}", "{noun}ที่ไม่มี{noun}", "หลักการของ{noun}{adjective}"),
        DESCRIPTIONS=(
            "นักเรียนจะได้เรียนรู้วิธีสังเกต{noun}และความแตกต่างจาก{noun}{adjective}",
            "หลังจากนั้นนักเรียนสามารถคำนวณ{noun}{adjective}ได้ด้วยตนเองและตัดสินผลลัพธ์ได้",
        ),
        OPENINGS=(
            "โรงงานแห่งหนึ่งใน{place}ตรวจ{thing} {number} ชิ้นและพบ{concept}ร้อยละ {percent}",
            "นักวิจัยใน{place}ใช้เวลา {small} {unit}บันทึก{thing} {number} ชิ้นเพื่อทำความเข้าใจ{concept}",
        ),
        MIDDLES=("ในขณะเดียวกัน{noun}{adjective}ยังต่ำกว่า {decimal} แม้ว่า{concept}จะลดลงหลังจาก {small} {unit}",),
        ASKS=(
            "{concept}อธิบายความแตกต่างนี้ได้อย่างไร และคาดว่าจะเกิด{noun}แบบใดหลังจาก {number} {unit}",
            "คำอธิบายใดในสองข้อนี้เหมาะกับ{concept}มากกว่า และอะไรจะหักล้างคำอธิบายนั้นได้",
        ),
        STATEMENTS=(
            "ขั้นแรกต้องแยก{noun}{adjective}ออกจาก{concept}เพราะทั้งสองมีสาเหตุต่างกัน",
            "เมื่อนำ {number} หารด้วย {small} จะได้{noun}ประมาณ {decimal} ซึ่งอยู่ในช่วงที่เหมาะสม",
            "เนื่องจาก{concept}เกิดก่อน{noun} ผลของมันจึงหายไปหลังจาก {small} {unit}",
            "เมื่อตรวจ{thing}อีกครั้งพบว่าร้อยละ {percent} มี{noun}เหมือนกัน",
            "ถ้าไม่มี{concept} {noun}ก็จะอยู่ใกล้ {decimal}",
        ),
        CONCLUSIONS=("สรุปว่า{concept}อธิบายได้ร้อยละ {percent} และ{noun}{adjective}อธิบายส่วนที่เหลือ",),
    ),
}  # fmt: skip
