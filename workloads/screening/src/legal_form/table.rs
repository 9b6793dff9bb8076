//! The forms that are common on sanctions lists and in registries of the larger trading countries (facts; ISO 20275 has
//! about 4,000 forms, of which most are rare or end in one of these words).

use super::Group;
use super::Group::{
    Cooperative, Corporation, JointStock, LimitedLiability, LimitedPartnership, NonProfit, Partnership,
    SoleProprietor, StateOwned, Unspecific,
};

/// One form.
pub(super) struct Form {
    /// Its usual abbreviation, itself a spelling.
    pub(super) code: &'static str,
    pub(super) group: Group,
    /// Whether the abbreviation may stand before the name.
    pub(super) leads: bool,
    pub(super) spellings: &'static [&'static str],
}

const fn ends(code: &'static str, group: Group, spellings: &'static [&'static str]) -> Form {
    Form { code, group, leads: false, spellings }
}

const fn leads(code: &'static str, group: Group, spellings: &'static [&'static str]) -> Form {
    Form { code, group, leads: true, spellings }
}

/// All forms. Where a spelling is ambiguous, the first form wins.
#[rustfmt::skip]
pub(super) static FORMS: &[Form] = &[
    // English
    leads("LLC", LimitedLiability, &["Limited Liability Company", "Limited Liability Co", "LTD Liability Company", "PLLC"]),
    leads("Ltd", LimitedLiability, &["Limited", "Ltd Co", "Co Ltd", "Company Limited", "Company Ltd", "Co Limited", "Private Limited", "Lmtd", "Limited Company"]),
    ends("Pty Ltd", LimitedLiability, &["Proprietary Limited", "Pty Limited", "Pty", "Proprietary Ltd"]),
    ends("Pte Ltd", LimitedLiability, &["Pte Limited", "Pte", "Pvt Ltd", "Pvt Limited", "Pvt", "Private Ltd"]),
    leads("Inc", Corporation, &["Incorporated", "Incorporation", "Co Inc", "Company Inc"]),
    ends("Corp", Corporation, &["Corporation", "Corpn", "Corp Inc"]),
    ends("PLC", JointStock, &["Public Limited Company", "Public Limited Co", "Public Ltd Co", "Public Company Limited", "PCL"]),
    leads("JSC", JointStock, &["Joint Stock Company", "Joint-Stock Co", "Stock Company", "Joint Stock", "JS Company", "JSCo", "Joint Stock Commercial Company"]),
    ends("LLP", Partnership, &["Limited Liability Partnership"]),
    ends("LP", LimitedPartnership, &["Limited Partnership"]),
    ends("Co", Unspecific, &["Company", "Comp", "Cmpny", "Cos", "Companies", "& Co", "and Company"]),
    // Russian, Ukrainian, Belarusian and their English renderings
    leads("OOO", LimitedLiability, &["ООО", "Общество с ограниченной ответственностью", "Obshchestvo s ogranichennoy otvetstvennostyu", "Obschestvo s ogranichennoi otvetstvennostyu", "OBSHCHESTVO S OGRANICHENNOI OTVETSTVENNOSTYU"]),
    leads("TOV", LimitedLiability, &["ТОВ", "Товариство з обмеженою відповідальністю", "Tovarystvo z obmezhenoyu vidpovidalnistyu"]),
    leads("TOO", LimitedLiability, &["ТОО", "Товарищество с ограниченной ответственностью"]),
    leads("OAO", JointStock, &["ОАО", "OJSC", "Open Joint Stock Company", "Open Joint-Stock Co", "Открытое акционерное общество", "Otkrytoe aktsionernoe obshchestvo", "Otkrytoye aktsionernoye obshchestvo", "ВАТ", "VAT"]),
    leads("PAO", JointStock, &["ПАО", "PJSC", "Public Joint Stock Company", "Публичное акционерное общество", "Publichnoe aktsionernoe obshchestvo", "Publichnoye aktsionernoye obshchestvo", "ПАТ", "ПрАТ", "PrJSC", "Private Joint Stock Company"]),
    leads("ZAO", JointStock, &["ЗАО", "CJSC", "Closed Joint Stock Company", "Закрытое акционерное общество", "Zakrytoe aktsionernoe obshchestvo", "Zakrytoye aktsionernoye obshchestvo", "ЗАТ"]),
    leads("AO", JointStock, &["АО", "Акционерное общество", "Aktsionernoe obshchestvo", "Aktsionernoye obshchestvo", "Aktsionerne tovarystvo"]),
    leads("FGUP", StateOwned, &["ФГУП", "FSUE", "Federal State Unitary Enterprise", "Federalnoe gosudarstvennoe unitarnoe predpriyatie", "Федеральное государственное унитарное предприятие"]),
    leads("GUP", StateOwned, &["ГУП", "State Unitary Enterprise", "Государственное унитарное предприятие", "SUE"]),
    leads("MUP", StateOwned, &["МУП", "Municipal Unitary Enterprise", "Муниципальное унитарное предприятие"]),
    leads("ANO", NonProfit, &["АНО", "Автономная некоммерческая организация", "Autonomous Non-Profit Organization"]),
    ends("IP", SoleProprietor, &["Индивидуальный предприниматель"]),
    // German
    ends("GmbH", LimitedLiability, &["Gesellschaft mit beschränkter Haftung", "Gesellschaft mit beschraenkter Haftung", "gGmbH", "Ges.m.b.H.", "mbH", "GmbH i.L."]),
    ends("UG", LimitedLiability, &["UG haftungsbeschränkt", "Unternehmergesellschaft", "Unternehmergesellschaft haftungsbeschränkt"]),
    ends("AG", JointStock, &["Aktiengesellschaft", "Aktiengeselschaft"]),
    ends("KGaA", JointStock, &["Kommanditgesellschaft auf Aktien"]),
    ends("SE", JointStock, &["Societas Europaea"]),
    ends("GmbH & Co KG", LimitedPartnership, &["GmbH & Co", "AG & Co KG", "GmbH und Co KG", "UG & Co KG", "mbH & Co KG", "GmbH & Co KGaA"]),
    ends("KG", LimitedPartnership, &["Kommanditgesellschaft", "& Co KG", "Co KG"]),
    ends("OHG", Partnership, &["Offene Handelsgesellschaft"]),
    ends("GbR", Partnership, &["Gesellschaft bürgerlichen Rechts"]),
    ends("eG", Cooperative, &["eingetragene Genossenschaft"]),
    ends("e.K.", SoleProprietor, &["eingetragener Kaufmann", "e.Kfm.", "eingetragene Kauffrau"]),
    leads("e.V.", NonProfit, &["eingetragener Verein", "Stiftung"]),
    // French
    leads("SARL", LimitedLiability, &["Société à responsabilité limitée", "SARLU", "EURL", "SUARL", "SAS", "SASU", "Société par actions simplifiée"]),
    ends("SA", JointStock, &["Société anonyme", "Sociedad Anónima", "Sociedade Anônima", "Société par actions", "Spółka Akcyjna", "S/A", "SpA", "Società per Azioni", "SAE", "SAL", "Société anonyme libanaise", "SA en liquidation"]),
    ends("SNC", Partnership, &["Société en nom collectif"]),
    ends("SCS", LimitedPartnership, &["Société en commandite simple", "SCA", "Société en commandite par actions"]),
    // Spanish and Portuguese
    ends("SA de CV", JointStock, &["Sociedad Anónima de Capital Variable", "SAB de CV", "SAPI de CV", "SA de CV SOFOM", "SA de CV SOFOM ENR"]),
    leads("SRL", LimitedLiability, &["S de RL", "S de RL de CV", "Sociedad de Responsabilidad Limitada", "Societatea cu Răspundere Limitată", "Società a responsabilità limitata", "Sociedad de Responsabilidad Limitada de Capital Variable", "S de RL MI"]),
    ends("SL", LimitedLiability, &["Sociedad Limitada", "SLU", "SLNE", "Sociedad Limitada Unipersonal"]),
    ends("Ltda", LimitedLiability, &["Limitada", "Cía Ltda", "Compañía Limitada", "Compañía Ltda", "Y Cia Ltda", "& Cia Ltda", "Lda", "Sociedade Limitada"]),
    ends("S en C", LimitedPartnership, &["Sociedad en Comandita", "Y Cia S en C", "& Cia S en C", "S en CS", "Y Cia S en CS", "Sociedad en Comandita Simple", "S C S", "S en C por A"]),
    ends("EU", SoleProprietor, &["Empresa Unipersonal", "EIRL", "EIRELI"]),
    ends("SAC", JointStock, &["Sociedad Anónima Cerrada", "SAA", "SACI"]),
    ends("Cía", Unspecific, &["Compañía", "Y Cía", "& Cía", "Cia y", "Compagnie", "Companhia"]),
    ends("AC", NonProfit, &["Asociación Civil", "ASBL", "Association sans but lucratif", "VZW", "ONG"]),
    leads("Coop", Cooperative, &["Cooperative", "Cooperativa", "SCOOP", "Coopérative", "Soc Coop", "Sociedad Cooperativa"]),
    // Dutch, Nordic, Baltic
    leads("BV", LimitedLiability, &["Besloten Vennootschap", "BVBA", "Besloten vennootschap met beperkte aansprakelijkheid", "SPRL"]),
    leads("NV", JointStock, &["Naamloze Vennootschap"]),
    ends("VOF", Partnership, &["Vennootschap onder firma"]),
    leads("AB", JointStock, &["Aktiebolag", "Aktiebolaget", "AB publ", "Akcinė bendrovė"]),
    leads("A/S", JointStock, &["Aktieselskab", "Aksjeselskap", "ASA", "Allmennaksjeselskap", "Anonim Şirketi", "Anonim Sirket", "Aktsiaselts"]),
    ends("ApS", LimitedLiability, &["Anpartsselskab"]),
    ends("Oy", LimitedLiability, &["Osakeyhtiö", "Oy Ab"]),
    ends("Oyj", JointStock, &["Julkinen osakeyhtiö"]),
    leads("SIA", LimitedLiability, &["Sabiedrība ar ierobežotu atbildību"]),
    leads("UAB", LimitedLiability, &["Uždaroji akcinė bendrovė"]),
    leads("OÜ", LimitedLiability, &["Osaühing"]),
    // Central and South-East Europe, Turkey
    ends("Sp. z o.o.", LimitedLiability, &["Sp z oo", "Spółka z ograniczoną odpowiedzialnością", "Spółka z o.o.", "Sp zoo"]),
    ends("s.r.o.", LimitedLiability, &["spol s r o", "společnost s ručením omezeným", "spoločnosť s ručením obmedzeným"]),
    ends("a.s.", JointStock, &["akciová společnost", "akciová spoločnosť", "AŞ"]),
    ends("Kft", LimitedLiability, &["Korlátolt felelősségű társaság"]),
    ends("Zrt", JointStock, &["Nyrt", "Részvénytársaság", "Zártkörűen működő részvénytársaság"]),
    leads("d.o.o.", LimitedLiability, &["društvo s ograničenom odgovornošću", "društvo sa ograničenom odgovornošću", "družba z omejeno odgovornostjo", "d.o.o.e.l.", "DOOEL"]),
    leads("d.d.", JointStock, &["dioničko društvo", "delniška družba", "a.d.", "akcionarsko društvo"]),
    ends("OOD", LimitedLiability, &["ООД", "ЕООД", "EOOD"]),
    ends("EAD", JointStock, &["ЕАД", "АД"]),
    ends("Ltd Şti", LimitedLiability, &["Limited Şirketi", "Limited Sirketi", "Ltd Sti", "Sti", "Sanayi ve Ticaret Ltd Sti"]),
    ends("EPE", LimitedLiability, &["ΕΠΕ", "MEPE", "IKE"]),
    ends("AE", JointStock, &["ΑΕ", "Ανώνυμη Εταιρεία"]),
    // Middle East, Asia
    ends("FZE", LimitedLiability, &["FZ LLC", "FZCO", "FZC", "Free Zone Establishment", "Free Zone Company", "DMCC", "WLL", "With Limited Liability", "FZ-LLC", "EST", "Establishment"]),
    ends("SAOC", JointStock, &["SAOG", "QSC", "BSC", "KSC", "KSCC", "QPSC", "PSC"]),
    leads("PT", LimitedLiability, &["Perseroan Terbatas", "PT Tbk", "Tbk"]),
    ends("Sdn Bhd", LimitedLiability, &["Sendirian Berhad"]),
    ends("Bhd", JointStock, &["Berhad"]),
    ends("KK", JointStock, &["Kabushiki Kaisha", "Kabushiki Gaisha", "株式会社"]),
    ends("GK", LimitedLiability, &["Godo Kaisha"]),
    leads("MMC", LimitedLiability, &["Məhdud Məsuliyyətli Cəmiyyət"]),
];
