//! The keys and certificates of one cluster: an authority, one for the API server's own proxying, and what they sign.
//!
//! Everything is P-256, made in microseconds, and valid for two years: a lab doesn't live longer.

use std::{
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use crate::{
    error::{LabError, Result},
    files,
};

/// A folder of PEM files, `<name>.crt` and `<name>.key`; the authorities are `ca` and `front-proxy-ca`, and `service-account.key`
/// signs tokens, which `service-account.pub` checks.
#[derive(Debug, Clone)]
pub(crate) struct Certificates {
    folder: PathBuf,
}

/// Whom a certificate is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// The user, or the name of a server.
    pub(crate) common_name: &'a str,
    /// The group. There can be one only.
    pub(crate) organization: Option<&'a str>,
    /// The names and IP addresses that a server is called by; empty for a client.
    pub(crate) alternative_names: &'a [String],
}

/// A certificate and its key, as PEM.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// The user that may do everything, whatever the roles say.
const ADMIN: Subject<'static> = client("kubernetes-admin", Some("system:masters"));

/// A client of the API server.
pub(crate) const fn client<'a>(user: &'a str, group: Option<&'a str>) -> Subject<'a> {
    Subject { common_name: user, organization: group, alternative_names: &[] }
}

impl Certificates {
    /// Makes the authorities and what each cluster needs, unless the folder is there: a run that was killed left either all of
    /// them or none. `api_server_names` are the names and addresses that clients call the API server by.
    pub(crate) fn ensure(folder: &Path, api_server_names: &[String]) -> Result<Self> {
        let made = Self { folder: folder.to_owned() };
        if folder.is_dir() {
            return Ok(made);
        }
        let parent = folder.parent().unwrap_or(Path::new("/"));
        files::make_folder(parent)?;
        let unfinished = tempfile::Builder::new().prefix(".certificates-").tempdir_in(parent);
        let unfinished = unfinished.map_err(LabError::file("make a folder in", parent))?;
        Self { folder: unfinished.path().to_owned() }.fill(api_server_names)?;
        std::fs::rename(unfinished.path(), folder).map_err(LabError::file("rename to", folder))?;
        let _ = unfinished.keep(); // it has moved
        Ok(made)
    }

    fn fill(&self, api_server_names: &[String]) -> Result<()> {
        self.authority("ca")?;
        self.authority("front-proxy-ca")?;
        let server = Subject {
            common_name: "kube-apiserver",
            organization: None,
            alternative_names: api_server_names,
        };
        self.issue("ca", "kube-apiserver", server)?;
        self.issue("ca", "kubelet-client", client("kube-apiserver-kubelet-client", Some("system:masters")))?;
        self.issue("front-proxy-ca", "front-proxy-client", client("front-proxy-client", None))?;
        self.issue("ca", "admin", ADMIN)?;
        self.issue("ca", "kube-controller-manager", client("system:kube-controller-manager", None))?;
        self.issue("ca", "kube-scheduler", client("system:kube-scheduler", None))?;
        self.issue("ca", "kube-proxy", client("system:kube-proxy", None))?;
        let key = new_key("service accounts")?;
        files::write(&self.path("service-account.pub"), key.public_key_pem(), false)?;
        files::write(&self.path("service-account.key"), key.serialize_pem(), true)
    }

    /// The path of one of the files.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// A pair that was issued, such as `admin`.
    pub(crate) fn pair(&self, name: &str) -> Result<Pair> {
        Ok(Pair { certificate: self.read(&format!("{name}.crt"))?, key: self.read(&format!("{name}.key"))? })
    }

    /// The authority's certificate, as PEM, that clients check the API server by.
    pub(crate) fn authority_certificate(&self) -> Result<String> {
        self.read("ca.crt")
    }

    /// Signs a certificate for `subject` and writes `<name>.crt` and `<name>.key`.
    pub(crate) fn issue(&self, authority: &str, name: &str, subject: Subject<'_>) -> Result<()> {
        let failed = |source| LabError::Certificate { name: subject.common_name.into(), source };
        let by = self.pair(authority)?;
        let by_key = KeyPair::from_pem(&by.key).map_err(failed)?;
        let issuer = Issuer::new(authority_parameters(authority), by_key);
        let mut parameters = CertificateParams::new(subject.alternative_names.to_vec()).map_err(failed)?;
        name_it(&mut parameters, subject.common_name, subject.organization);
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if !subject.alternative_names.is_empty() {
            parameters.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        parameters.use_authority_key_identifier_extension = true;
        let key = new_key(subject.common_name)?;
        let certificate = parameters.signed_by(&key, &issuer).map_err(failed)?;
        self.keep(name, &Pair { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    fn authority(&self, name: &str) -> Result<()> {
        let failed = |source| LabError::Certificate { name: name.into(), source };
        let key = new_key(name)?;
        let certificate = authority_parameters(name).self_signed(&key).map_err(failed)?;
        self.keep(name, &Pair { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    fn keep(&self, name: &str, pair: &Pair) -> Result<()> {
        files::write(&self.path(&format!("{name}.key")), &pair.key, true)?;
        files::write(&self.path(&format!("{name}.crt")), &pair.certificate, false)
    }

    fn read(&self, file: &str) -> Result<String> {
        let path = self.path(file);
        std::fs::read_to_string(&path).map_err(LabError::file("read", path))
    }
}

/// The same each time, so that the authority's name and key identifier fit its certificate without parsing that.
fn authority_parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    name_it(&mut parameters, &format!("kyb-lab {name}"), None);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages =
        vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

fn name_it(parameters: &mut CertificateParams, common_name: &str, organization: Option<&str>) {
    let mut name = rcgen::DistinguishedName::new();
    if let Some(organization) = organization {
        name.push(DnType::OrganizationName, organization);
    }
    name.push(DnType::CommonName, common_name);
    parameters.distinguished_name = name;
    let year = this_year();
    parameters.not_before = date_time_ymd(year - 1, 1, 1);
    parameters.not_after = date_time_ymd(year + 2, 1, 1);
}

fn new_key(name: &str) -> Result<KeyPair> {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
        .map_err(|source| LabError::Certificate { name: name.into(), source })
}

/// To within a day at the turn of the year, which the margins of the validity cover.
fn this_year() -> i32 {
    const SECONDS_A_YEAR: u64 = 31_556_952; // Gregorian mean
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    1970 + i32::try_from(seconds / SECONDS_A_YEAR).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_once_made_stay() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = folder.path().join("certificates");
        let first =
            Certificates::ensure(&wanted, &["127.0.0.1".into()]).unwrap().authority_certificate().unwrap();
        let second =
            Certificates::ensure(&wanted, &["127.0.0.1".into()]).unwrap().authority_certificate().unwrap();
        assert_eq!(first, second);
        assert!(first.starts_with("-----BEGIN CERTIFICATE-----"));
    }

    #[test]
    fn only_the_owner_reads_a_key() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let made = Certificates::ensure(&folder.path().join("certificates"), &["localhost".into()]).unwrap();
        for entry in std::fs::read_dir(&made.folder).unwrap() {
            let path = entry.unwrap().path();
            let bits = path.metadata().unwrap().permissions().mode() & 0o777;
            let secret = path.extension().is_some_and(|extension| extension == "key");
            assert_eq!(bits, if secret { 0o600 } else { 0o644 }, "{}", path.display());
        }
    }
}
