//! A gateway or worker that could go around row-level security does not start.

use std::time::Duration;

use kyb_e2e::{
    Database, TenantPlan, binaries::ensure_built, platform::arguments, program::Program,
    settings::SettingsFolder,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_could_see_every_tenant_is_refused_with_a_remedy_and_without_a_secret() {
    let database = Database::start(false).await.unwrap();
    let settings = SettingsFolder::write(&[TenantPlan::new("acme")], &[]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for program in ["kyb-gateway", "kyb-worker"] {
        for (role, url) in [("superuser", database.superuser_url()), ("owner", database.owner_url())] {
            let log = folder.path().join(format!("{program}-{role}"));
            let arguments = arguments(program, 0, &settings);
            let binary = ensure_built().unwrap().join(program);
            let environment = [("KYB_DATABASE_URL", url.clone()), ("RUST_LOG", "debug".to_owned())];
            let mut running = Program::start(&binary, &arguments, &environment, &log).unwrap();
            let code = running.wait(Duration::from_secs(20)).unwrap();
            let said = running.log();
            assert_eq!(code, 2, "{program} as {role}:\n{said}");
            assert!(
                said.contains("use a role that owns nothing"),
                "{program} as {role} names no remedy:\n{said}"
            );
            let password = url.split(['@', ':']).nth(2).unwrap();
            assert!(
                password.len() > 10 && !said.contains(password),
                "{program} as {role} tells the password:\n{said}"
            );
        }
    }
}
