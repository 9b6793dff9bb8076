//! Industries that money laundering is drawn to, by NAICS 2022 prefix. The choice follows the sectors that the FATF names as
//! financial institutions and designated non-financial businesses of higher risk (FATF Recommendations, Glossary and
//! Recommendations 14, 15, 22 and 23) and the arms trade; the prefixes are ours.

use crate::RiskInput;

/// An industry of higher risk.
#[derive(Debug, Clone, Copy)]
pub struct HighRiskIndustry {
    /// What its NAICS 2022 codes begin with.
    pub prefix: &'static str,
    /// What it is, in words.
    pub what: &'static str,
}

const fn industry(prefix: &'static str, what: &'static str) -> HighRiskIndustry {
    HighRiskIndustry { prefix, what }
}

/// Every industry of higher risk.
pub const HIGH_RISK_INDUSTRIES: &[HighRiskIndustry] = &[
    industry("7132", "gambling"),
    industry("721120", "casino hotels"),
    industry("522390", "money services (money orders, remittances, cheque cashing)"),
    industry("522320", "payment and clearing services"),
    industry("522299", "pawn shops, trade finance and other credit outside banks"),
    industry("523160", "commodity contracts, crypto-assets included"),
    industry("458310", "jewellery retail"),
    industry("423940", "precious stones and metals, wholesale"),
    industry("331410", "refining of precious metals"),
    industry("212220", "mining of gold and silver"),
    industry("332992", "small arms ammunition"),
    industry("332993", "ammunition"),
    industry("332994", "arms"),
    industry("336414", "guided missiles"),
    industry("336992", "military armoured vehicles"),
    industry("459920", "art dealers"),
    industry("531210", "real estate agents"),
];

/// Applies where the likeliest industry is one of higher risk.
pub(crate) fn high_risk_industry(input: &RiskInput<'_>) -> Option<String> {
    let best = input.classification.results.first()?;
    let industry = HIGH_RISK_INDUSTRIES.iter().find(|industry| best.code.starts_with(industry.prefix))?;
    Some(format!("{} {}: {}", best.code, best.title, industry.what))
}
